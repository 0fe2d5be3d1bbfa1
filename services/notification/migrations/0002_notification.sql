-- Who can be told, what they were told, and the e-mails that carry it.

-- A replica of the members of all accounts: whom to tell, and where.
CREATE TABLE member (
  account_id text    NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  member_id  text    NOT NULL,
  side       text    NOT NULL CHECK (side IN ('partner', 'aws')),
  first_name text    NOT NULL,
  last_name  text    NOT NULL,
  email      text    NOT NULL,
  roles      text[]  NOT NULL,
  active     boolean NOT NULL,
  PRIMARY KEY (account_id, member_id)
);

CREATE TABLE notification (
  account_id      text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  notification_id text        NOT NULL CHECK (notification_id ~ '^ntf-[0-9a-z]{13}$'),
  member_id       text        NOT NULL,
  kind            text        NOT NULL CHECK (kind IN ('OPPORTUNITY_SUBMITTED', 'ACTION_REQUIRED',
                    'OPPORTUNITY_APPROVED', 'OPPORTUNITY_REJECTED', 'REVIEW_REQUESTED')),
  opportunity_id  bigint      NOT NULL,
  subject         text        NOT NULL,
  body            text        NOT NULL,
  create_time     timestamptz NOT NULL,
  read_time       timestamptz,
  PRIMARY KEY (account_id, notification_id)
);
-- A member's inbox, newest first, and its unread part.
CREATE INDEX notification_inbox ON notification (account_id, member_id, create_time, notification_id);
CREATE INDEX notification_unread ON notification (account_id, member_id, create_time, notification_id)
  WHERE read_time IS NULL;

-- Kinds that a member does not want by e-mail.
CREATE TABLE preference (
  account_id     text   NOT NULL,
  member_id      text   NOT NULL,
  email_opt_outs text[] NOT NULL,
  revision       bigint NOT NULL CHECK (revision > 0),
  PRIMARY KEY (account_id, member_id)
);

-- E-mails to be sent, sent, or given up. The mail id is the Message-ID of every attempt.
CREATE TABLE mail (
  account_id      text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  mail_id         text        NOT NULL CHECK (mail_id ~ '^mail-[0-9a-z]{13}$'),
  notification_id text,
  member_id       text,
  recipient       text        NOT NULL,
  subject         text        NOT NULL,
  body            text        NOT NULL,
  state           text        NOT NULL CHECK (state IN ('QUEUED', 'SENT', 'FAILED')),
  attempts        int         NOT NULL DEFAULT 0,
  smtp_code       int,
  create_time     timestamptz NOT NULL,
  due_time        timestamptz NOT NULL,
  done_time       timestamptz,
  PRIMARY KEY (account_id, mail_id)
);
-- What the sender takes next, over all accounts.
CREATE INDEX mail_due ON mail (due_time) WHERE state = 'QUEUED';

-- Row-level security: who reaches which rows, whatever a query asks (ACC-020).
ALTER TABLE member ENABLE ROW LEVEL SECURITY;
ALTER TABLE member FORCE ROW LEVEL SECURITY;
ALTER TABLE notification ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification FORCE ROW LEVEL SECURITY;
ALTER TABLE preference ENABLE ROW LEVEL SECURITY;
ALTER TABLE preference FORCE ROW LEVEL SECURITY;
ALTER TABLE mail ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail FORCE ROW LEVEL SECURITY;

-- Calls: the rows of the caller's own account.
CREATE POLICY own_account ON notification TO notification_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
CREATE POLICY own_account ON preference TO notification_app
  USING (account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK (account_id = (SELECT current_setting('app.account', true)));
-- Events: an event on a partner's record may concern members of AWS, so the platform tells members of any account.
CREATE POLICY events_tell_anyone ON notification FOR INSERT TO notification_app
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'system');
CREATE POLICY events_tell_anyone ON mail FOR INSERT TO notification_app
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'system');
CREATE POLICY events_find_anyone ON member FOR SELECT TO notification_app
  USING ((SELECT current_setting('app.side', true)) = 'system');
CREATE POLICY events_ask_anyone ON preference FOR SELECT TO notification_app
  USING ((SELECT current_setting('app.side', true)) = 'system');
-- The outcome of sending, with its event, is written for one account at a time.
CREATE POLICY outcome_of_account ON mail TO notification_app
  USING ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)));
-- The sender takes what is due, whoever it is for; members come from the directory.
CREATE POLICY all_accounts ON mail TO notification_worker USING (true) WITH CHECK (true);
CREATE POLICY all_accounts ON member TO notification_worker USING (true) WITH CHECK (true);

GRANT SELECT ON member TO notification_app;
GRANT SELECT, INSERT, UPDATE ON notification, preference TO notification_app;
GRANT SELECT, INSERT, UPDATE ON mail TO notification_app;
GRANT SELECT, UPDATE ON mail TO notification_worker;
GRANT SELECT, INSERT, UPDATE ON member TO notification_worker;
