-- Jobs on many records: files that are taken in, records that are given to others (OPP-080 to OPP-087).

CREATE TABLE bulk_job (
  account_id  text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  bulk_job_id      text        NOT NULL CHECK (bulk_job_id ~ '^bulkjob-[0-9a-z]{13}$'),
  kind        text        NOT NULL CHECK (kind IN ('IMPORT', 'TRANSFER')),
  state       text        NOT NULL CHECK (state IN ('RUNNING', 'COMPLETED', 'CANCELED', 'FAILED')),
  member_id   text        NOT NULL,
  -- Of the call that began it, for the events of its effects.
  request_id  text        NOT NULL,
  plan        jsonb       NOT NULL,
  total       bigint      NOT NULL,
  processed   bigint      NOT NULL DEFAULT 0,
  failed      bigint      NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL,
  end_time    timestamptz,
  -- When some of its rows were last worked off: accounts take turns by it.
  served_time timestamptz,
  PRIMARY KEY (account_id, bulk_job_id)
);
CREATE INDEX bulk_job_by_creation ON bulk_job (account_id, create_time, bulk_job_id);
CREATE INDEX bulk_job_by_end ON bulk_job (end_time);
-- What the worker takes next, over all accounts.
CREATE INDEX bulk_job_running ON bulk_job (account_id, create_time) WHERE state = 'RUNNING';

CREATE TABLE bulk_row (
  account_id     text   NOT NULL,
  bulk_job_id         text   NOT NULL,
  -- From 1; the first line of a table does not count.
  number         bigint NOT NULL,
  content        jsonb  NOT NULL,
  -- None as long as it waits.
  result         text   CHECK (result IN ('CREATED', 'SUBMITTED', 'UPDATED', 'ASSIGNED', 'UNCHANGED', 'VALID', 'FAILED')),
  opportunity_id bigint,
  violations     jsonb,
  PRIMARY KEY (account_id, bulk_job_id, number),
  FOREIGN KEY (account_id, bulk_job_id) REFERENCES bulk_job ON DELETE CASCADE
);
CREATE INDEX bulk_row_waiting ON bulk_row (account_id, bulk_job_id, number) WHERE result IS NULL;
CREATE INDEX bulk_row_failed ON bulk_row (account_id, bulk_job_id, number) WHERE result = 'FAILED';

-- Rows that were taken in, by what they said: the same row makes nothing twice (OPP-084).
CREATE TABLE bulk_key (
  account_id     text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  row_hash       bytea       NOT NULL,
  opportunity_id bigint      NOT NULL,
  time           timestamptz NOT NULL,
  PRIMARY KEY (account_id, row_hash)
);
CREATE INDEX bulk_key_by_time ON bulk_key (time);

DO $$
DECLARE
  tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['bulk_job', 'bulk_row', 'bulk_key'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY own_account ON %I TO opportunity_app
      USING (account_id = (SELECT current_setting(''app.account'', true)))
      WITH CHECK (account_id = (SELECT current_setting(''app.account'', true)))', tab);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON bulk_job TO opportunity_app;
GRANT SELECT, INSERT, UPDATE ON bulk_row, bulk_key TO opportunity_app;

-- The worker finds what is to be done, and forgets what is old; it reads nothing that is in it.
CREATE POLICY all_accounts ON bulk_job FOR SELECT TO opportunity_worker
  USING ((SELECT current_setting('app.side', true)) = 'work');
CREATE POLICY forgets ON bulk_job FOR DELETE TO opportunity_worker
  USING ((SELECT current_setting('app.side', true)) = 'work' AND end_time < now() - interval '30 days');
CREATE POLICY all_accounts ON bulk_key FOR SELECT TO opportunity_worker
  USING ((SELECT current_setting('app.side', true)) = 'work');
CREATE POLICY forgets ON bulk_key FOR DELETE TO opportunity_worker
  USING ((SELECT current_setting('app.side', true)) = 'work' AND time < now() - interval '30 days');
GRANT SELECT (account_id, bulk_job_id, state, create_time, end_time, served_time), DELETE ON bulk_job TO opportunity_worker;
GRANT SELECT (account_id, row_hash, time), DELETE ON bulk_key TO opportunity_worker;
