-- Calls that were refused because of who made them, for audit (ACC-030). This file is the same, byte for byte, in every
-- service: a migration is history, so it is copied, not included.

CREATE TABLE denial (
  -- The caller's account; empty for a service.
  account_id text        NOT NULL,
  time       timestamptz NOT NULL,
  denial_id  uuid        NOT NULL,
  actor      text        NOT NULL,
  method     text        NOT NULL,
  reason     text        NOT NULL,
  -- The record, where it is about one; else empty.
  subject    text        NOT NULL,
  request_id text        NOT NULL,
  PRIMARY KEY (account_id, time, denial_id)
);
-- For forgetting, which goes over all accounts.
CREATE INDEX denial_time ON denial (time);

-- The worker writes and reads them, and deletes those whose time is over. Calls reach none of them.
ALTER TABLE denial ENABLE ROW LEVEL SECURITY;
ALTER TABLE denial FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
  worker text := current_schema() || '_worker';
  works  text := '(SELECT current_setting(''app.side'', true)) = ''work''';
BEGIN
  EXECUTE format('CREATE POLICY writes ON denial FOR INSERT TO %I WITH CHECK (%s)', worker, works);
  EXECUTE format('CREATE POLICY all_accounts ON denial FOR SELECT TO %I USING (%s)', worker, works);
  EXECUTE format('CREATE POLICY forgets ON denial FOR DELETE TO %I
    USING (%s AND time < now() - interval ''400 days'')', worker, works);
  EXECUTE format('GRANT SELECT, INSERT, DELETE ON denial TO %I', worker);
END $$;
