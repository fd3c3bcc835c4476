-- Four roles and two databases; each statement does nothing where its work is done. Prints "created" for what it made.
-- The owners make and change tables (migrations, restores). The others only use them, and the trail's cannot be
-- changed or emptied by whoever writes to it.
\connect postgres
SELECT format('CREATE ROLE %I LOGIN', name), format('SELECT %L', 'created ' || name)
FROM unnest(ARRAY['record_owner', 'record', 'audit_owner', 'audit']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
SELECT format('CREATE DATABASE %I OWNER %I', name, name || '_owner'), format('SELECT %L', 'created ' || name)
FROM unnest(ARRAY['record', 'audit']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE record, audit FROM PUBLIC;
GRANT CONNECT ON DATABASE record TO record;
GRANT CONNECT ON DATABASE audit TO audit;
\connect record
ALTER SCHEMA public OWNER TO record_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO record;
ALTER DEFAULT PRIVILEGES FOR ROLE record_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO record;
ALTER DEFAULT PRIVILEGES FOR ROLE record_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO record;
\connect audit
ALTER SCHEMA public OWNER TO audit_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO audit;
ALTER DEFAULT PRIVILEGES FOR ROLE audit_owner IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO audit;
ALTER DEFAULT PRIVILEGES FOR ROLE audit_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO audit;
