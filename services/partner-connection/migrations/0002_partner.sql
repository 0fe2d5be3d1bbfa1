-- Who the partners are, who works for them, and which of them are connected.
--
-- `record` is the whole aggregate as one document; the columns beside it are copies of what is filtered, sorted or
-- constrained (docs/adr/0006). What two companies share (invitations, connections) is kept twice, once for each of
-- them under its own account_id, and written in one transaction (docs/adr/0008): so every table has the same policy,
-- and a company's lists and counts read its own rows alone.

CREATE TABLE account (
  account_id text   PRIMARY KEY CHECK (account_id ~ '^[0-9]{12}$'),
  revision   bigint NOT NULL CHECK (revision > 0),
  record     jsonb  NOT NULL
);

-- What others find: kept apart from the account because others may read it.
CREATE TABLE profile (
  account_id      text   PRIMARY KEY,
  profile_id      text   NOT NULL CHECK (profile_id ~ '^pprofile-[0-9a-z]{13}$'),
  visibility      text   NOT NULL CHECK (visibility IN ('PRIVATE', 'PUBLIC')),
  display_name    text   NOT NULL,
  description     text   NOT NULL,
  country_code    text   NOT NULL,
  solution_type   text   NOT NULL,
  industries      text[] NOT NULL,
  partner_types   text[] NOT NULL,
  programs        text[] NOT NULL,
  specializations text[] NOT NULL,
  record          jsonb  NOT NULL,
  FOREIGN KEY (account_id) REFERENCES account (account_id)
);
CREATE UNIQUE INDEX profile_id ON profile (profile_id);
-- The directory in the order of its pages.
CREATE INDEX profile_by_name ON profile (lower(display_name), profile_id) WHERE visibility = 'PUBLIC';

CREATE TABLE member (
  account_id text   NOT NULL,
  member_id  text   NOT NULL,
  revision   bigint NOT NULL CHECK (revision > 0),
  status     text   NOT NULL CHECK (status IN ('INVITED', 'ACTIVE', 'DEACTIVATED')),
  roles      text[] NOT NULL,
  email      text   NOT NULL,
  record     jsonb  NOT NULL,
  PRIMARY KEY (account_id, member_id),
  FOREIGN KEY (account_id) REFERENCES account (account_id)
);
-- One person, one membership (DIR-013); one lead (DIR-011). The rules see to both; these hold whatever they do.
CREATE UNIQUE INDEX member_email ON member (account_id, email) WHERE status <> 'DEACTIVATED';
CREATE UNIQUE INDEX member_lead ON member (account_id)
  WHERE status <> 'DEACTIVATED' AND 'ALLIANCE_LEAD' = ANY (roles);

CREATE TABLE connection_invitation (
  account_id               text        NOT NULL,
  connection_invitation_id text        NOT NULL CHECK (connection_invitation_id ~ '^pacinv-[0-9a-z]{13}$'),
  other_account_id         text        NOT NULL,
  other_profile_id         text        NOT NULL,
  participant_type         text        NOT NULL CHECK (participant_type IN ('SENDER', 'RECEIVER')),
  revision                 bigint      NOT NULL CHECK (revision > 0),
  type                     text        NOT NULL CHECK (type IN ('OPPORTUNITY_COLLABORATION', 'SUBSIDIARY')),
  status                   text        NOT NULL CHECK (status IN ('PENDING', 'ACCEPTED', 'REJECTED', 'CANCELED',
                             'EXPIRED')),
  create_time              timestamptz NOT NULL,
  expire_time              timestamptz NOT NULL,
  record                   jsonb       NOT NULL,
  PRIMARY KEY (account_id, connection_invitation_id),
  FOREIGN KEY (account_id) REFERENCES account (account_id)
);
-- One open invitation of a type between two companies, whoever sent it (CON-003).
CREATE UNIQUE INDEX connection_invitation_open ON connection_invitation (account_id, other_account_id, type)
  WHERE status = 'PENDING';
-- A company's list, newest first, and what it sent today.
CREATE INDEX connection_invitation_by_time
  ON connection_invitation (account_id, create_time, connection_invitation_id);
-- What the expiry worker takes next, over all accounts.
CREATE INDEX connection_invitation_due ON connection_invitation (expire_time)
  WHERE status = 'PENDING' AND participant_type = 'SENDER';

CREATE TABLE connection (
  account_id       text        NOT NULL,
  connection_id    text        NOT NULL CHECK (connection_id ~ '^pac-[0-9a-z]{13}$'),
  other_account_id text        NOT NULL,
  revision         bigint      NOT NULL CHECK (revision > 0),
  status           text        NOT NULL CHECK (status IN ('ACTIVE', 'CANCELED')),
  -- `<type>:<status>` of each type.
  types            text[]      NOT NULL,
  create_time      timestamptz NOT NULL,
  record           jsonb       NOT NULL,
  PRIMARY KEY (account_id, connection_id),
  FOREIGN KEY (account_id) REFERENCES account (account_id)
);
-- One active connection between two companies (CON-004).
CREATE UNIQUE INDEX connection_active ON connection (account_id, other_account_id) WHERE status = 'ACTIVE';
CREATE INDEX connection_by_time ON connection (account_id, create_time, connection_id);

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020). Work on a second company runs for that
-- company, within the same transaction.
DO $$
DECLARE
  tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['account', 'profile', 'member', 'connection_invitation', 'connection'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY own_account ON %I TO partner_app
      USING (account_id = (SELECT current_setting(''app.account'', true)))
      WITH CHECK (account_id = (SELECT current_setting(''app.account'', true)))', tab);
  END LOOP;
END $$;
-- The directory: public profiles are there to be found.
CREATE POLICY public_profiles ON profile FOR SELECT TO partner_app USING (visibility = 'PUBLIC');
-- AWS runs the programme, and sees which companies take part.
CREATE POLICY aws_reads ON account FOR SELECT TO partner_app
  USING ((SELECT current_setting('app.side', true)) = 'aws');
-- The expiry worker finds whose time is over; it reads nothing else of them.
CREATE POLICY all_accounts ON connection_invitation FOR SELECT TO partner_worker USING (true);

GRANT SELECT, INSERT, UPDATE ON account, profile, member, connection_invitation, connection TO partner_app;
GRANT SELECT (account_id, connection_invitation_id, other_account_id, participant_type, status, expire_time)
  ON connection_invitation TO partner_worker;
