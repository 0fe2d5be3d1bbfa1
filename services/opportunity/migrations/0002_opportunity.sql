-- The opportunity record and its history.
--
-- `record` is the whole aggregate as one document; the columns beside it are copies of what is filtered, sorted and
-- constrained, written in the same statement. The history holds the same documents, so that reading the past and
-- reading the present are the same thing (docs/adr/0006).

CREATE TABLE opportunity (
  account_id        text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  -- The digits after the O.
  opportunity_id    bigint      NOT NULL CHECK (opportunity_id >= 0),
  revision          bigint      NOT NULL CHECK (revision > 0),
  owner_member_id   text        NOT NULL,
  created_by        text        NOT NULL,
  submitted_by      text,
  review_status     text        NOT NULL CHECK (review_status IN ('PENDING_SUBMISSION', 'SUBMITTED', 'IN_REVIEW',
                      'ACTION_REQUIRED', 'APPROVED', 'REJECTED')),
  stage             text        NOT NULL CHECK (stage IN ('PROSPECT', 'QUALIFIED', 'TECHNICAL_VALIDATION',
                      'BUSINESS_VALIDATION', 'COMMITTED', 'LAUNCHED', 'CLOSED_LOST')),
  visibility        text        CHECK (visibility IN ('FULL', 'LIMITED')),
  company_name      text        NOT NULL,
  partner_opportunity_identifier text NOT NULL,
  target_close_date date        NOT NULL,
  create_time       timestamptz NOT NULL,
  update_time       timestamptz NOT NULL,
  record            jsonb       NOT NULL,
  PRIMARY KEY (account_id, opportunity_id)
);
-- The partner's own key is unique in the account, or empty (OPP-003).
CREATE UNIQUE INDEX opportunity_partner_identifier
  ON opportunity (account_id, partner_opportunity_identifier) WHERE partner_opportunity_identifier <> '';
-- One index for each order of a partner's list (OPP-060); order by id is the primary key's.
CREATE INDEX opportunity_by_update ON opportunity (account_id, update_time, opportunity_id);
CREATE INDEX opportunity_by_creation ON opportunity (account_id, create_time, opportunity_id);
CREATE INDEX opportunity_by_company ON opportunity (account_id, company_name, opportunity_id);
CREATE INDEX opportunity_by_close_date ON opportunity (account_id, target_close_date, opportunity_id);
-- AWS reads over all accounts: by id, and in the default order of its list.
CREATE INDEX opportunity_by_id ON opportunity (opportunity_id);
CREATE INDEX opportunity_of_all_by_update ON opportunity (update_time, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';

-- Append-only: one row a change, with the record as it was after it.
CREATE TABLE opportunity_revision (
  account_id     text        NOT NULL,
  opportunity_id bigint      NOT NULL,
  revision       bigint      NOT NULL,
  time           timestamptz NOT NULL,
  -- A member, or `service:` and a name.
  actor          text        NOT NULL,
  action         text        NOT NULL,
  changed_fields text[]      NOT NULL,
  review_status  text        NOT NULL,
  record         jsonb       NOT NULL,
  PRIMARY KEY (account_id, opportunity_id, revision)
);
-- AWS and services read a submission by id.
CREATE INDEX opportunity_revision_by_id ON opportunity_revision (opportunity_id, revision);

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020).
ALTER TABLE opportunity ENABLE ROW LEVEL SECURITY;
ALTER TABLE opportunity FORCE ROW LEVEL SECURITY;
ALTER TABLE opportunity_revision ENABLE ROW LEVEL SECURITY;
ALTER TABLE opportunity_revision FORCE ROW LEVEL SECURITY;

-- A partner, and the platform acting on an event of that partner.
CREATE POLICY own_account ON opportunity TO opportunity_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
CREATE POLICY own_account ON opportunity_revision TO opportunity_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
-- AWS sees what was submitted, and only reads.
CREATE POLICY aws_reads ON opportunity FOR SELECT TO opportunity_app
  USING ((SELECT current_setting('app.side', true)) = 'aws' AND review_status <> 'PENDING_SUBMISSION');
-- Services read what was submitted, at the revision they were told of, even when it was taken back since.
CREATE POLICY aws_and_services_read ON opportunity_revision FOR SELECT TO opportunity_app
  USING ((SELECT current_setting('app.side', true)) IN ('aws', 'service') AND review_status <> 'PENDING_SUBMISSION');

GRANT SELECT, INSERT, UPDATE, DELETE ON opportunity TO opportunity_app;
GRANT SELECT, INSERT ON opportunity_revision TO opportunity_app;
