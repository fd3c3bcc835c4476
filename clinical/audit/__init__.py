"""The audit trail: append, chain, verify. Fails closed; commits apart from the caller's transaction."""
