-- For the domains of an account's addresses, of which there are few however many members there are.
CREATE INDEX member_domain ON member (account_id, split_part(email, '@', 2)) WHERE status <> 'DEACTIVATED';

-- How often an account asked an address to join that day (DIR-016): of the addresses that were asked, whatever became of
-- them since. Days that are over are deleted with the next invitation.
CREATE TABLE asked (
  account_id text   NOT NULL,
  day        date   NOT NULL,
  email      text   NOT NULL,
  times      bigint NOT NULL,
  PRIMARY KEY (account_id, day, email)
);
ALTER TABLE asked ENABLE ROW LEVEL SECURITY;
ALTER TABLE asked FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON asked TO partner_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
GRANT SELECT, INSERT, UPDATE, DELETE ON asked TO partner_app;
