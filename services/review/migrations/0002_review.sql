-- Review cases: one for each opportunity that was ever submitted, and what was submitted in each round.
--
-- `record` is the whole aggregate as one document; the columns beside it are copies of what is filtered and sorted
-- (docs/adr/0006). Submissions are kept apart: they are large, and never change.

CREATE TABLE review_case (
  account_id         text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  review_case_id     text        NOT NULL CHECK (review_case_id ~ '^rc-[0-9a-z]{13}$'),
  opportunity_id     bigint      NOT NULL,
  revision           bigint      NOT NULL CHECK (revision > 0),
  state              text        NOT NULL CHECK (state IN ('SUBMITTED', 'IN_REVIEW', 'ACTION_REQUIRED', 'APPROVED',
                       'REJECTED', 'WITHDRAWN')),
  assignee_member_id text,
  submit_time        timestamptz NOT NULL,
  record             jsonb       NOT NULL,
  PRIMARY KEY (account_id, review_case_id)
);
CREATE UNIQUE INDEX review_case_opportunity ON review_case (account_id, opportunity_id);
-- AWS works over all accounts: by id, and the queue by age.
CREATE INDEX review_case_by_id ON review_case (review_case_id);
CREATE INDEX review_case_by_age ON review_case (submit_time, review_case_id);

CREATE TABLE submission (
  account_id     text   NOT NULL,
  review_case_id text   NOT NULL,
  round          int    NOT NULL,
  -- cosell.opportunity.v1.Opportunity, as it was submitted.
  snapshot       bytea  NOT NULL,
  PRIMARY KEY (account_id, review_case_id, round),
  FOREIGN KEY (account_id, review_case_id) REFERENCES review_case (account_id, review_case_id)
);

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020).
ALTER TABLE review_case ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_case FORCE ROW LEVEL SECURITY;
ALTER TABLE submission ENABLE ROW LEVEL SECURITY;
ALTER TABLE submission FORCE ROW LEVEL SECURITY;

-- Review is AWS's: partners see nothing here, whatever account they are. The platform, acting on an event of a
-- partner, works on the cases of that partner.
CREATE POLICY aws ON review_case TO review_app
  USING ((SELECT current_setting('app.side', true)) = 'aws')
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'aws');
CREATE POLICY aws ON submission FOR SELECT TO review_app
  USING ((SELECT current_setting('app.side', true)) = 'aws');
CREATE POLICY services_read ON review_case FOR SELECT TO review_app
  USING ((SELECT current_setting('app.side', true)) = 'service');
CREATE POLICY services_read ON submission FOR SELECT TO review_app
  USING ((SELECT current_setting('app.side', true)) = 'service');
CREATE POLICY events_of_account ON review_case TO review_app
  USING ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)));
CREATE POLICY events_of_account ON submission TO review_app
  USING ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)));

GRANT SELECT, INSERT, UPDATE ON review_case TO review_app;
GRANT SELECT, INSERT ON submission TO review_app;
