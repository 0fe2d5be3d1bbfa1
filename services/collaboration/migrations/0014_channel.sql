-- Channels: the row is the partner's whose people ask for it.

CREATE TABLE channel (
  account_id     text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  channel_id     text        NOT NULL CHECK (channel_id ~ '^chan-[0-9a-z]{13}$'),
  opportunity_id bigint      NOT NULL,
  requested_by   text        NOT NULL,
  revision       bigint      NOT NULL CHECK (revision > 0),
  state          text        NOT NULL CHECK (state IN ('REQUESTED', 'APPROVED', 'DECLINED', 'ACTIVE', 'ARCHIVED')),
  create_time    timestamptz NOT NULL,
  -- The provider's id of it.
  external_id    text,
  -- When the worker has to look at it next; none when nothing is to be done.
  due_time       timestamptz,
  record         jsonb       NOT NULL,
  PRIMARY KEY (account_id, channel_id)
);
-- An opportunity has one channel that is not over (CHN-002).
CREATE UNIQUE INDEX channel_open ON channel (account_id, opportunity_id)
  WHERE state IN ('REQUESTED', 'APPROVED', 'ACTIVE');
CREATE INDEX channel_by_time ON channel (account_id, create_time, channel_id);
CREATE INDEX channel_of_all_by_time ON channel (create_time, channel_id);
CREATE INDEX channel_by_id ON channel (channel_id);
CREATE INDEX channel_with_provider ON channel (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX channel_due ON channel (due_time, account_id, channel_id) WHERE due_time IS NOT NULL;

-- Who is in a channel, or was asked to it: copies of what is in the record, by which people find their channels.
CREATE TABLE channel_member (
  -- The account whose channel it is.
  account_id        text NOT NULL,
  channel_id        text NOT NULL,
  member_account_id text NOT NULL,
  member_id         text NOT NULL,
  state             text NOT NULL CHECK (state IN ('SELECTED', 'INVITED', 'JOINED', 'LEFT', 'OPTED_OUT', 'EXPIRED')),
  -- The provider's id of the invitation.
  invite_id         text,
  PRIMARY KEY (account_id, channel_id, member_account_id, member_id),
  FOREIGN KEY (account_id, channel_id) REFERENCES channel
);
CREATE INDEX channel_member_of ON channel_member (member_account_id, member_id, account_id, channel_id);
CREATE INDEX channel_member_by_invitation ON channel_member (invite_id) WHERE invite_id IS NOT NULL;

-- Who does not want to be asked to any channel (CHN-012).
CREATE TABLE channel_preference (
  account_id text NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  member_id  text NOT NULL,
  opted_out  boolean NOT NULL,
  revision   bigint NOT NULL CHECK (revision > 0),
  PRIMARY KEY (account_id, member_id)
);

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020).
DO $$
DECLARE
  tab text;
  own text := '(SELECT current_setting(''app.account'', true))';
  side text := '(SELECT current_setting(''app.side'', true))';
BEGIN
  FOREACH tab IN ARRAY ARRAY['channel', 'channel_member', 'channel_preference'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    -- The platform works for one account after the other.
    EXECUTE format('CREATE POLICY system ON %I TO collaboration_app USING (%s = ''system'' AND account_id = %s)
      WITH CHECK (%s = ''system'' AND account_id = %s)', tab, side, own, side, own);
  END LOOP;
  -- What one wants is one's own account's, and known to nobody else.
  EXECUTE format('CREATE POLICY own_account ON channel_preference TO collaboration_app USING (%s IN (''partner'', ''aws'') AND account_id = %s)
    WITH CHECK (%s IN (''partner'', ''aws'') AND account_id = %s)', side, own, side, own);
  FOREACH tab IN ARRAY ARRAY['channel', 'channel_member'] LOOP
    EXECUTE format('CREATE POLICY partner ON %I FOR SELECT TO collaboration_app USING (%s = ''partner'' AND account_id = %s)',
      tab, side, own);
    -- AWS reads channels of all accounts.
    EXECUTE format('CREATE POLICY aws_reads ON %I FOR SELECT TO collaboration_app USING (%s = ''aws'')', tab, side);
  END LOOP;
  -- The worker finds what is due, and the channel that a provider means; it reads nothing that is in it.
  EXECUTE format('CREATE POLICY work ON channel FOR SELECT TO collaboration_worker USING (%s = ''work'')', side);
  EXECUTE format('CREATE POLICY work ON channel_member FOR SELECT TO collaboration_worker USING (%s = ''work'')', side);
END $$;
GRANT SELECT, INSERT, UPDATE ON channel, channel_member TO collaboration_app;
GRANT SELECT, INSERT, UPDATE ON channel_preference TO collaboration_app;
GRANT SELECT (account_id, channel_id, external_id, due_time) ON channel TO collaboration_worker;
GRANT SELECT (account_id, channel_id, member_account_id, member_id, state, invite_id) ON channel_member
  TO collaboration_worker;
