-- Customers who may have a deal, whom AWS has offered and a partner has accepted. A lead is the partner's.
--
-- `record` is the whole aggregate as one document; the columns beside it are copies of what is filtered and sorted
-- (docs/adr/0006). Of an offer of a lead `offer_deal.deal` is cosell.referral.v1.LeadDetails; it becomes `details`
-- here when the partner accepts, and is gone there.

CREATE TABLE lead (
  -- The partner's account.
  account_id      text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  lead_id         text        NOT NULL CHECK (lead_id ~ '^lead-[0-9a-z]{13}$'),
  referral_offer_id        text        NOT NULL,
  owner_member_id text        NOT NULL,
  revision        bigint      NOT NULL CHECK (revision > 0),
  state           text        NOT NULL CHECK (state IN ('UNQUALIFIED', 'QUALIFIED', 'DISQUALIFIED', 'OTHER')),
  create_time     timestamptz NOT NULL,
  is_converted    boolean     NOT NULL DEFAULT false,
  record          jsonb       NOT NULL,
  -- cosell.referral.v1.LeadDetails
  details         bytea       NOT NULL,
  PRIMARY KEY (account_id, lead_id),
  -- Of an offer comes one lead, whatever is called how often.
  UNIQUE (account_id, referral_offer_id),
  FOREIGN KEY (account_id, referral_offer_id) REFERENCES offer (account_id, referral_offer_id),
  CHECK (state = 'QUALIFIED' OR NOT is_converted)
);
CREATE INDEX lead_by_time ON lead (account_id, create_time, lead_id);
CREATE INDEX lead_of_owner ON lead (account_id, owner_member_id, create_time, lead_id);
CREATE INDEX lead_by_id ON lead (lead_id);

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020).
ALTER TABLE lead ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
  of_account text := 'account_id = (SELECT current_setting(''app.account'', true))';
  side text := '(SELECT current_setting(''app.side'', true))';
BEGIN
  -- The platform makes the lead of what was accepted; a partner has not read all of it before.
  EXECUTE format('CREATE POLICY system ON lead TO referral_app USING (%s = ''system'' AND %s) WITH CHECK (%s = ''system'' AND %s)',
    side, of_account, side, of_account);
  -- A partner reads and changes its own leads (REF-055). AWS does not see what becomes of them.
  EXECUTE format('CREATE POLICY partner ON lead FOR SELECT TO referral_app USING (%s = ''partner'' AND %s)', side, of_account);
  EXECUTE format('CREATE POLICY partner_works ON lead FOR UPDATE TO referral_app
    USING (%s = ''partner'' AND %s) WITH CHECK (%s = ''partner'' AND %s)', side, of_account, side, of_account);
  -- The opportunity service reads what it makes an opportunity of (REF-054).
  EXECUTE format('CREATE POLICY services_read ON lead FOR SELECT TO referral_app USING (%s = ''service'' AND is_converted)', side);
END $$;
GRANT SELECT, INSERT, UPDATE ON lead TO referral_app;
