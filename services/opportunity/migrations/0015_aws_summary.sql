-- The AWS summary of an opportunity and its history (OPP-050).
--
-- As with the opportunity, `summary` is the whole aggregate as one document, and the columns beside it are copies. The
-- rows belong to the partner's account: AWS writes them in the scope of that account.

CREATE TABLE aws_summary (
  account_id     text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  opportunity_id bigint      NOT NULL CHECK (opportunity_id >= 0),
  revision       bigint      NOT NULL CHECK (revision > 0),
  -- What AWS says, where it has said something.
  stage          text        CHECK (stage IN ('NOT_STARTED', 'IN_PROGRESS', 'PROSPECT', 'ENGAGED', 'IDENTIFIED', 'QUALIFY',
                   'RESEARCH', 'SELLER_ENGAGED', 'EVALUATING', 'SELLER_REGISTERED', 'TERM_SHEET_NEGOTIATION',
                   'CONTRACT_NEGOTIATION', 'ONBOARDING', 'BUILDING_INTEGRATION', 'QUALIFIED', 'ON_HOLD',
                   'TECHNICAL_VALIDATION', 'BUSINESS_VALIDATION', 'COMMITTED', 'LAUNCHED', 'DEFERRED_TO_PARTNER',
                   'CLOSED_LOST', 'COMPLETED', 'CLOSED_INCOMPLETE')),
  update_time    timestamptz NOT NULL,
  summary        jsonb       NOT NULL,
  PRIMARY KEY (account_id, opportunity_id)
);

-- Append-only: one row a change, with the AWS summary as it was after it.
CREATE TABLE aws_summary_revision (
  account_id     text        NOT NULL,
  opportunity_id bigint      NOT NULL,
  revision       bigint      NOT NULL,
  time           timestamptz NOT NULL,
  -- A member of AWS, or `service:` and a name.
  actor          text        NOT NULL,
  changed_fields text[]      NOT NULL,
  summary        jsonb       NOT NULL,
  PRIMARY KEY (account_id, opportunity_id, revision)
);

-- Row-level security (ACC-020).
ALTER TABLE aws_summary ENABLE ROW LEVEL SECURITY;
ALTER TABLE aws_summary FORCE ROW LEVEL SECURITY;
ALTER TABLE aws_summary_revision ENABLE ROW LEVEL SECURITY;
ALTER TABLE aws_summary_revision FORCE ROW LEVEL SECURITY;

CREATE POLICY own_account ON aws_summary TO opportunity_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
CREATE POLICY own_account ON aws_summary_revision TO opportunity_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
-- AWS and its systems read what they have said about any account's opportunity.
CREATE POLICY aws_and_services_read ON aws_summary FOR SELECT TO opportunity_app
  USING ((SELECT current_setting('app.side', true)) IN ('aws', 'service'));

GRANT SELECT, INSERT, UPDATE ON aws_summary TO opportunity_app;
GRANT SELECT, INSERT ON aws_summary_revision TO opportunity_app;
