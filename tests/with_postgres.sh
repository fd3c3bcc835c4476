#!/usr/bin/env bash
# Runs a command with a throwaway PostgreSQL cluster: with_postgres.sh COMMAND [ARG ...]
# The cluster listens on a Unix socket only and is removed afterwards.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")
if [ ! -x "$bin/initdb" ]; then
    echo "PostgreSQL is missing; install it with: apt-get install postgresql" >&2
    exit 1
fi
folder=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then # initdb refuses to run as root
    chown postgres "$folder"
    as=(runuser -u postgres --)
fi
stop() {
    (cd / && "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1) || true
    rm -rf "$folder"
}
trap stop EXIT
cd_back=$PWD
cd /
"${as[@]}" "$bin/initdb" -D "$folder/data" -U appliance -A trust -E UTF8 --no-locale >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; exit 1; }
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" \
    -o "-k $folder -c listen_addresses='' -c fsync=off -c max_connections=300" start >/dev/null
chmod 755 "$folder"
for name in record audit; do "${as[@]}" "$bin/createdb" -h "$folder" -U appliance "$name"; done
cd "$cd_back"
export APPLIANCE_DATABASE_URL="postgresql://appliance@/record?host=$folder"
export APPLIANCE_AUDIT_DATABASE_URL="postgresql://appliance@/audit?host=$folder"
"$@"
