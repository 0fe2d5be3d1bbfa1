-- Engagements of partners: the row is the account's that began it; each company that is part of it has a row of its
-- own, by which it reaches the engagement.
--
-- `record` is the whole aggregate as one document; the columns beside it are copies of what is filtered and sorted
-- (docs/adr/0006).

CREATE TABLE engagement (
  -- The account that began it.
  account_id     text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  engagement_id  text        NOT NULL CHECK (engagement_id ~ '^eng-[a-z][0-9a-z]{13}$'),
  -- The digits after the O of the opportunity that is shared.
  opportunity_id bigint      NOT NULL,
  revision       bigint      NOT NULL CHECK (revision > 0),
  create_time    timestamptz NOT NULL,
  -- Visibility of what is shared is LIMITED: nothing of it is for AWS sales.
  is_limited     boolean     NOT NULL,
  record         jsonb       NOT NULL,
  PRIMARY KEY (account_id, engagement_id)
);
-- An opportunity has one engagement (COL-004).
CREATE UNIQUE INDEX engagement_of_opportunity ON engagement (account_id, opportunity_id);
CREATE INDEX engagement_by_id ON engagement (engagement_id);
CREATE INDEX engagement_of_all_by_time ON engagement (create_time, engagement_id) WHERE NOT is_limited;

CREATE TABLE engagement_member (
  -- The company that is or was part of it.
  account_id        text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  engagement_id     text        NOT NULL,
  -- The account that began it.
  owner_account_id  text        NOT NULL CHECK (owner_account_id ~ '^[0-9]{12}$'),
  state             text        NOT NULL CHECK (state IN ('ACTIVE', 'LEFT', 'REMOVED')),
  -- Who of the company works on it beside those who see the whole pipeline.
  by_member_id      text        NOT NULL,
  opportunity_id    bigint      NOT NULL,
  -- When the engagement began.
  create_time       timestamptz NOT NULL,
  end_time          timestamptz,
  PRIMARY KEY (account_id, engagement_id),
  CHECK ((end_time IS NULL) = (state = 'ACTIVE'))
);
CREATE INDEX engagement_member_by_time ON engagement_member (account_id, create_time, engagement_id);

CREATE TABLE invitation (
  -- The company that is asked.
  account_id         text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  invitation_id      text        NOT NULL CHECK (invitation_id ~ '^engi-[a-z][0-9a-z]{12}$'),
  sender_account_id  text        NOT NULL CHECK (sender_account_id ~ '^[0-9]{12}$'),
  engagement_id      text        NOT NULL,
  revision           bigint      NOT NULL CHECK (revision > 0),
  state              text        NOT NULL CHECK (state IN ('PENDING', 'ACCEPTED', 'REJECTED', 'EXPIRED', 'CANCELED')),
  create_time        timestamptz NOT NULL,
  expire_time        timestamptz NOT NULL,
  is_limited         boolean     NOT NULL,
  record             jsonb       NOT NULL,
  -- cosell.collaboration.v1.EngagementOffer with what the receiver may know; none once it does not want it, did not
  -- answer, or is not asked any more.
  shown              bytea,
  PRIMARY KEY (account_id, invitation_id),
  CHECK (shown IS NULL OR state IN ('PENDING', 'ACCEPTED'))
);
CREATE INDEX invitation_received_by_time ON invitation (account_id, create_time, invitation_id);
CREATE INDEX invitation_sent_by_time ON invitation (sender_account_id, create_time, invitation_id);
CREATE INDEX invitation_of_all_by_time ON invitation (create_time, invitation_id) WHERE NOT is_limited;
CREATE INDEX invitation_by_id ON invitation (invitation_id);
CREATE INDEX invitation_due ON invitation (expire_time, account_id, invitation_id) WHERE state = 'PENDING';

CREATE TABLE snapshot (
  -- The account whose opportunity it is.
  account_id      text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  engagement_id   text        NOT NULL,
  opportunity_id  bigint      NOT NULL,
  template        text        NOT NULL CHECK (template IN ('OPPORTUNITY_SUMMARY', 'AWS_OPPORTUNITY_SUMMARY')),
  revision        bigint      NOT NULL CHECK (revision > 0),
  create_time     timestamptz NOT NULL,
  source_revision bigint      NOT NULL,
  is_limited      boolean     NOT NULL,
  -- cosell.collaboration.v1.ResourceSnapshot with nothing but its payload.
  payload         bytea       NOT NULL,
  PRIMARY KEY (account_id, engagement_id, opportunity_id, template, revision)
);
CREATE INDEX snapshot_of_engagement ON snapshot (engagement_id, create_time, opportunity_id, template, revision);

CREATE TABLE snapshot_job (
  -- The account whose opportunity it is.
  account_id      text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  snapshot_job_id          text        NOT NULL CHECK (snapshot_job_id ~ '^job-[0-9a-z]{13}$'),
  engagement_id   text        NOT NULL,
  opportunity_id  bigint      NOT NULL,
  template        text        NOT NULL CHECK (template IN ('OPPORTUNITY_SUMMARY', 'AWS_OPPORTUNITY_SUMMARY')),
  state           text        NOT NULL CHECK (state IN ('RUNNING', 'STOPPED')),
  by_member_id    text        NOT NULL,
  create_time     timestamptz NOT NULL,
  -- When it is to look; none when nothing has changed since it did.
  due_time        timestamptz,
  record          jsonb       NOT NULL,
  PRIMARY KEY (account_id, snapshot_job_id)
);
CREATE UNIQUE INDEX snapshot_job_subject ON snapshot_job (account_id, opportunity_id, template, engagement_id);
CREATE INDEX snapshot_job_by_time ON snapshot_job (account_id, create_time, snapshot_job_id);
CREATE INDEX snapshot_job_due ON snapshot_job (due_time, account_id, snapshot_job_id) WHERE due_time IS NOT NULL;

-- Which companies are connected: a replica, fed by the events of the partner context (COL-002).
CREATE TABLE connected (
  account_id       text    NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  connection_id    text    NOT NULL,
  other_account_id text    NOT NULL CHECK (other_account_id ~ '^[0-9]{12}$'),
  -- It is for collaboration now.
  is_active        boolean NOT NULL,
  PRIMARY KEY (account_id, connection_id)
);
CREATE INDEX connected_with ON connected (account_id, other_account_id);

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020).
DO $$
DECLARE
  tab text;
  own text := '(SELECT current_setting(''app.account'', true))';
  side text := '(SELECT current_setting(''app.side'', true))';
BEGIN
  FOREACH tab IN ARRAY ARRAY['engagement', 'engagement_member', 'invitation', 'snapshot', 'snapshot_job', 'connected'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    -- The platform works for one account after the other.
    EXECUTE format('CREATE POLICY system ON %I TO collaboration_app USING (%s = ''system'' AND account_id = %s)
      WITH CHECK (%s = ''system'' AND account_id = %s)', tab, side, own, side, own);
  END LOOP;
  -- AWS reads engagements of all accounts, with who is invited and what is shared, but of what has full visibility only.
  FOREACH tab IN ARRAY ARRAY['engagement', 'invitation', 'snapshot'] LOOP
    EXECUTE format('CREATE POLICY aws_reads ON %I FOR SELECT TO collaboration_app
      USING (%s = ''aws'' AND NOT is_limited)', tab, side);
  END LOOP;
  -- A partner reads what its company is part of.
  EXECUTE format('CREATE POLICY partner ON engagement_member FOR SELECT TO collaboration_app
    USING (%s = ''partner'' AND account_id = %s)', side, own);
  EXECUTE format('CREATE POLICY partner ON engagement FOR SELECT TO collaboration_app
    USING (%s = ''partner'' AND EXISTS (SELECT FROM engagement_member m WHERE m.account_id = %s
      AND m.engagement_id = engagement.engagement_id AND m.state = ''ACTIVE''))', side, own);
  -- An invitation is for two companies; nobody else of those invited reads it.
  EXECUTE format('CREATE POLICY partner ON invitation FOR SELECT TO collaboration_app
    USING (%s = ''partner'' AND (account_id = %s OR sender_account_id = %s))', side, own, own);
  -- The platform takes back what a company has sent.
  EXECUTE format('CREATE POLICY system_sent ON invitation FOR SELECT TO collaboration_app
    USING (%s = ''system'' AND sender_account_id = %s)', side, own);
  -- What was shared stays; what comes after a company has left is not for it. What AWS says is for the owner alone
  -- (COL-042).
  EXECUTE format('CREATE POLICY partner ON snapshot FOR SELECT TO collaboration_app
    USING (%s = ''partner'' AND (account_id = %s OR (template = ''OPPORTUNITY_SUMMARY'' AND EXISTS (
      SELECT FROM engagement_member m WHERE m.account_id = %s AND m.engagement_id = snapshot.engagement_id
        AND (m.end_time IS NULL OR snapshot.create_time <= m.end_time)))))', side, own, own);
  EXECUTE format('CREATE POLICY partner ON snapshot_job FOR SELECT TO collaboration_app
    USING (%s = ''partner'' AND account_id = %s)', side, own);
  -- The worker finds what is due; it reads nothing that is in it.
  EXECUTE format('CREATE POLICY due ON invitation FOR SELECT TO collaboration_worker
    USING (%s = ''work'' AND state = ''PENDING'')', side);
  EXECUTE format('CREATE POLICY due ON snapshot_job FOR SELECT TO collaboration_worker
    USING (%s = ''work'' AND due_time IS NOT NULL)', side);
END $$;
GRANT SELECT, INSERT, UPDATE ON engagement, engagement_member, invitation, connected TO collaboration_app;
GRANT SELECT, INSERT ON snapshot TO collaboration_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON snapshot_job TO collaboration_app;
GRANT SELECT (account_id, invitation_id, expire_time, state) ON invitation TO collaboration_worker;
GRANT SELECT (account_id, snapshot_job_id, due_time) ON snapshot_job TO collaboration_worker;
