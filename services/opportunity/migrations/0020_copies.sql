-- Copies of deals that partners have shared with each other (OPP-092). The row is the account's that has shared: when its record
-- is decided, the platform finds the copies that follow it.
CREATE TABLE opportunity_copy (
  account_id          text   NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  opportunity_id      bigint NOT NULL,
  copy_account_id     text   NOT NULL CHECK (copy_account_id ~ '^[0-9]{12}$'),
  copy_opportunity_id bigint NOT NULL,
  PRIMARY KEY (account_id, opportunity_id, copy_account_id, copy_opportunity_id)
);

-- Row-level security: nobody reads it but the platform, for one account after the other (ACC-020).
ALTER TABLE opportunity_copy ENABLE ROW LEVEL SECURITY;
ALTER TABLE opportunity_copy FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON opportunity_copy TO opportunity_app
  USING ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)));
GRANT SELECT, INSERT ON opportunity_copy TO opportunity_app;
