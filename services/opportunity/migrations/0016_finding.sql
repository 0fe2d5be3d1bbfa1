-- Finding records: presets, text search, flags, the past (OPP-060 to OPP-069).

-- What presets and filters ask of. Origin and the company as AWS may see it follow from what is there, also where a
-- process of the version before writes; of a national-security record AWS sees no company (OPP-017).
ALTER TABLE opportunity
  ADD COLUMN origin text NOT NULL GENERATED ALWAYS AS (record ->> 'origin') STORED,
  ADD COLUMN company_name_for_aws text NOT NULL GENERATED ALWAYS AS (
    CASE WHEN record #> '{details,national_security}' = 'true'::jsonb THEN '' ELSE company_name END) STORED,
  -- When it was submitted last.
  ADD COLUMN submit_time timestamptz;

-- The words of each record, for search (OPP-064): rows, because a full-text index would not be used beneath row-level
-- security (docs/adr/0016).
CREATE TABLE opportunity_word (
  account_id     text    NOT NULL,
  opportunity_id bigint  NOT NULL,
  word           text    COLLATE "C" NOT NULL,
  -- The record is no draft, and the word is not only in a company name that AWS may not see.
  shown_to_aws   boolean NOT NULL,
  PRIMARY KEY (account_id, opportunity_id, word),
  FOREIGN KEY (account_id, opportunity_id) REFERENCES opportunity ON DELETE CASCADE
);

-- Who has flagged a record to come back to it (OPP-066). The account is the record's.
CREATE TABLE opportunity_flag (
  account_id        text        NOT NULL,
  opportunity_id    bigint      NOT NULL,
  member_account_id text        NOT NULL,
  member_id         text        NOT NULL,
  time              timestamptz NOT NULL,
  PRIMARY KEY (account_id, opportunity_id, member_account_id, member_id),
  CONSTRAINT opportunity_flag_record
    FOREIGN KEY (account_id, opportunity_id) REFERENCES opportunity ON DELETE CASCADE
);
CREATE INDEX opportunity_flag_by_member ON opportunity_flag (member_account_id, member_id, account_id, opportunity_id);

-- What is there already. The owner sees no row beneath FORCE, so it is lifted for this transaction, in which nobody else
-- gets at the tables. Words are parted here as the database does; each record's next change parts them as the service
-- does.
ALTER TABLE opportunity NO FORCE ROW LEVEL SECURITY;
ALTER TABLE opportunity_revision NO FORCE ROW LEVEL SECURITY;
UPDATE opportunity o
SET submit_time = s.time, record = jsonb_set(o.record, '{review,submit_time}', to_jsonb(s.time))
FROM (SELECT account_id, opportunity_id, max(time) AS time FROM opportunity_revision
      WHERE action = 'submitted' GROUP BY account_id, opportunity_id) s
WHERE o.account_id = s.account_id AND o.opportunity_id = s.opportunity_id;
INSERT INTO opportunity_word (account_id, opportunity_id, word, shown_to_aws)
SELECT o.account_id, o.opportunity_id, left(w.word, 60),
  o.review_status <> 'PENDING_SUBMISSION' AND bool_or(t.is_text OR o.company_name_for_aws <> '')
FROM opportunity o
CROSS JOIN LATERAL (VALUES (o.company_name, false), (o.record #>> '{details,project,title}', true),
  (o.record #>> '{details,project,customer_business_problem}', true)) AS t (said, is_text)
CROSS JOIN LATERAL regexp_split_to_table(lower(t.said), '[^[:alnum:]]+') AS w (word)
WHERE w.word <> ''
GROUP BY o.account_id, o.opportunity_id, o.review_status, left(w.word, 60);
-- The mark that the record had before was one for everybody; it becomes its owner's.
INSERT INTO opportunity_flag (account_id, opportunity_id, member_account_id, member_id, time)
SELECT account_id, opportunity_id, account_id, owner_member_id, update_time FROM opportunity
WHERE record #> '{details,flagged_for_follow_up}' = 'true'::jsonb;
ALTER TABLE opportunity FORCE ROW LEVEL SECURITY;
ALTER TABLE opportunity_revision FORCE ROW LEVEL SECURITY;

-- Search in an account, and by AWS over all.
CREATE INDEX opportunity_word_of_account ON opportunity_word (account_id, word, opportunity_id);
CREATE INDEX opportunity_word_of_all ON opportunity_word (word, opportunity_id) WHERE shown_to_aws;
-- Counts read this index alone, also those of AWS over all accounts (OPP-065).
CREATE INDEX opportunity_counted ON opportunity (account_id, opportunity_id) INCLUDE (review_status, stage, origin,
  visibility, owner_member_id, created_by, submitted_by, target_close_date, create_time, update_time, submit_time);
-- The other orders of AWS's list.
CREATE INDEX opportunity_of_all_by_creation ON opportunity (create_time, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';
CREATE INDEX opportunity_of_all_by_company ON opportunity (company_name_for_aws, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';
CREATE INDEX opportunity_of_all_by_close_date ON opportunity (target_close_date, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';
-- What few of all records fulfil, for AWS.
CREATE INDEX opportunity_of_all_by_owner ON opportunity (owner_member_id, update_time, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';
CREATE INDEX opportunity_of_all_by_position ON opportunity (review_status, stage, update_time, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';
CREATE INDEX opportunity_of_all_by_origin ON opportunity (origin, create_time, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';
CREATE INDEX opportunity_of_all_by_submission ON opportunity (submit_time, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';

-- Row-level security (ACC-020).
ALTER TABLE opportunity_word ENABLE ROW LEVEL SECURITY;
ALTER TABLE opportunity_word FORCE ROW LEVEL SECURITY;
ALTER TABLE opportunity_flag ENABLE ROW LEVEL SECURITY;
ALTER TABLE opportunity_flag FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON opportunity_word TO opportunity_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
CREATE POLICY aws_reads ON opportunity_word FOR SELECT TO opportunity_app
  USING ((SELECT current_setting('app.side', true)) = 'aws' AND shown_to_aws);
CREATE POLICY own_account ON opportunity_flag TO opportunity_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
-- Whoever's the record is, flags are those of the own account's members.
CREATE POLICY own_members ON opportunity_flag AS RESTRICTIVE TO opportunity_app
  USING (member_account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (member_account_id = (SELECT current_setting('app.account', true)));
-- AWS flags records of partners.
CREATE POLICY aws_flags ON opportunity_flag TO opportunity_app
  USING ((SELECT current_setting('app.side', true)) = 'aws'
    AND member_account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'aws'
    AND member_account_id = (SELECT current_setting('app.account', true)));

GRANT SELECT, INSERT, UPDATE, DELETE ON opportunity_word TO opportunity_app;
GRANT SELECT, INSERT, DELETE ON opportunity_flag TO opportunity_app;
