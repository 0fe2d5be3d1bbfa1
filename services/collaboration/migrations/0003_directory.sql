-- What this service knows of the members of all accounts: a replica, fed by the events of the partner context. This
-- file is the same, byte for byte, in every service that has one: a migration is history, so it is copied.

CREATE TABLE directory_account (
  account_id     text    PRIMARY KEY CHECK (account_id ~ '^[0-9]{12}$'),
  revision       bigint  NOT NULL,
  side           text    NOT NULL CHECK (side IN ('PARTNER', 'AWS')),
  is_active      boolean NOT NULL,
  terms_accepted boolean NOT NULL
);

CREATE TABLE directory_member (
  account_id text    NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  member_id  text    NOT NULL,
  revision   bigint  NOT NULL,
  is_active  boolean NOT NULL,
  roles      text[]  NOT NULL,
  PRIMARY KEY (account_id, member_id)
);

-- Row-level security: each account's part, for calls and events of that account (ACC-020).
DO $$
DECLARE
  app text := current_schema() || '_app';
  tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['directory_account', 'directory_member'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY own_account ON %I TO %I
      USING (account_id = (SELECT current_setting(''app.account'', true)))
      WITH CHECK (account_id = (SELECT current_setting(''app.account'', true)))', tab, app);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO %I', tab, app);
  END LOOP;
END $$;
