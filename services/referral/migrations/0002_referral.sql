-- Deals that AWS offers to partners: the referral is AWS's, each offer of it is the partner's to whom it is made.
--
-- `record` is the whole aggregate as one document; the columns beside it are copies of what is filtered and sorted
-- (docs/adr/0006).

CREATE TABLE referral (
  -- The AWS account that offers.
  account_id   text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  referral_id  text        NOT NULL CHECK (referral_id ~ '^ref-[0-9a-z]{13}$'),
  revision     bigint      NOT NULL CHECK (revision > 0),
  state        text        NOT NULL CHECK (state IN ('OFFERED', 'ACCEPTED', 'EXHAUSTED')),
  receivers    text[]      NOT NULL,
  create_time  timestamptz NOT NULL,
  record       jsonb       NOT NULL,
  -- cosell.referral.v1.Referral with what AWS says to partners, and the whole deal.
  content      bytea       NOT NULL,
  PRIMARY KEY (account_id, referral_id)
);
CREATE INDEX referral_by_time ON referral (account_id, create_time, referral_id);
CREATE INDEX referral_receivers ON referral USING gin (receivers);

CREATE TABLE offer (
  -- The partner's account.
  account_id          text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  referral_offer_id            text        NOT NULL CHECK (referral_offer_id ~ '^engi-[0-9][0-9a-z]{12}$'),
  sender_account_id   text        NOT NULL CHECK (sender_account_id ~ '^[0-9]{12}$'),
  referral_id         text        NOT NULL,
  revision            bigint      NOT NULL CHECK (revision > 0),
  state               text        NOT NULL CHECK (state IN ('PENDING', 'ACCEPTED', 'REJECTED', 'EXPIRED')),
  offer_time          timestamptz NOT NULL,
  expire_time         timestamptz NOT NULL,
  -- When the worker has to look at it next; none when nothing is left to be done.
  due_time            timestamptz,
  record              jsonb       NOT NULL,
  -- cosell.referral.v1.ReferralOffer with what the partner may know; none when the partner does not want it or did not
  -- answer.
  shown               bytea,
  PRIMARY KEY (account_id, referral_offer_id),
  CHECK (shown IS NULL OR state IN ('PENDING', 'ACCEPTED'))
);
CREATE INDEX offer_by_end ON offer (account_id, expire_time, referral_offer_id);
CREATE INDEX offer_of_referral ON offer (sender_account_id, referral_id);
CREATE INDEX offer_by_id ON offer (referral_offer_id);
CREATE INDEX offer_due ON offer (due_time, account_id, referral_offer_id) WHERE due_time IS NOT NULL;

-- The whole deal, as the partner will have it. No partner reads it here, whatever a query asks: it reads the opportunity
-- that comes of it.
CREATE TABLE offer_deal (
  account_id text  NOT NULL,
  referral_offer_id   text  NOT NULL,
  -- cosell.referral.v1.GetAcceptedOpportunityResponse
  deal       bytea NOT NULL,
  PRIMARY KEY (account_id, referral_offer_id),
  FOREIGN KEY (account_id, referral_offer_id) REFERENCES offer (account_id, referral_offer_id)
);

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020).
DO $$
DECLARE
  tab text;
  of_account text := 'account_id = (SELECT current_setting(''app.account'', true))';
  side text := '(SELECT current_setting(''app.side'', true))';
BEGIN
  FOREACH tab IN ARRAY ARRAY['referral', 'offer', 'offer_deal'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    -- The platform works for one account after the other.
    EXECUTE format('CREATE POLICY system ON %I TO referral_app USING (%s = ''system'' AND %s) WITH CHECK (%s = ''system'' AND %s)',
      tab, side, of_account, side, of_account);
  END LOOP;
  -- AWS has its own referrals, and sees the offers made of them.
  EXECUTE format('CREATE POLICY aws ON referral TO referral_app USING (%s = ''aws'' AND %s) WITH CHECK (%s = ''aws'' AND %s)',
    side, of_account, side, of_account);
  EXECUTE format('CREATE POLICY aws ON offer FOR SELECT TO referral_app USING (%s = ''aws'' AND sender_%s)', side, of_account);
  -- A partner has the offers made to it, as long as it has not let their time pass (REF-021).
  EXECUTE format('CREATE POLICY partner ON offer FOR SELECT TO referral_app
    USING (%s = ''partner'' AND %s AND state <> ''EXPIRED'')', side, of_account);
  EXECUTE format('CREATE POLICY partner_answers ON offer FOR UPDATE TO referral_app
    USING (%s = ''partner'' AND %s AND state = ''PENDING'')
    WITH CHECK (%s = ''partner'' AND %s AND state IN (''ACCEPTED'', ''REJECTED''))', side, of_account, side, of_account);
  -- The opportunity service reads what it makes an opportunity of. It finds accepted offers only, and by them the deals.
  EXECUTE format('CREATE POLICY services_read ON offer FOR SELECT TO referral_app
    USING (%s = ''service'' AND state = ''ACCEPTED'')', side);
  EXECUTE format('CREATE POLICY services_read ON offer_deal FOR SELECT TO referral_app USING (%s = ''service'')', side);
  -- The worker finds what is due; it reads nothing that is in it.
  EXECUTE format('CREATE POLICY due ON offer FOR SELECT TO referral_worker USING (%s = ''work'' AND due_time IS NOT NULL)', side);
END $$;
GRANT SELECT, INSERT, UPDATE ON referral, offer TO referral_app;
GRANT SELECT, INSERT, DELETE ON offer_deal TO referral_app;
GRANT SELECT (account_id, referral_offer_id, due_time) ON offer TO referral_worker;
