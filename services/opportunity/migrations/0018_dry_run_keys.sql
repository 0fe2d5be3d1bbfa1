-- What the rows of a dry run would take: the key of the partner's own that a record would have (none: it is not changed;
-- empty: it would have none), and what the row says. So it sees what rows have in common (OPP-081).
ALTER TABLE bulk_row
  ADD COLUMN key      text,
  ADD COLUMN row_hash bytea;
CREATE INDEX bulk_row_key ON bulk_row (account_id, bulk_job_id, key) WHERE key IS NOT NULL;
CREATE INDEX bulk_row_of_record ON bulk_row (account_id, bulk_job_id, opportunity_id, number) WHERE key IS NOT NULL;
CREATE INDEX bulk_row_hash ON bulk_row (account_id, bulk_job_id, row_hash) WHERE row_hash IS NOT NULL;
