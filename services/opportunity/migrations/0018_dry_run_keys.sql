-- The partner's own keys that the rows of a dry run would take, so that it sees those that rows have in common (OPP-081).
ALTER TABLE bulk_row ADD COLUMN key text;
CREATE INDEX bulk_row_key ON bulk_row (account_id, job_id, key) WHERE key IS NOT NULL;
