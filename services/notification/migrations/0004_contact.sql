-- Where members are reached. Who they are, on which side and with which roles, the replica of the directory says.

DROP TABLE member;

CREATE TABLE contact (
  account_id text   NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  member_id  text   NOT NULL,
  revision   bigint NOT NULL,
  email      text   NOT NULL,
  PRIMARY KEY (account_id, member_id)
);

ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact FORCE ROW LEVEL SECURITY;
-- What is known comes with an event of the member's account; whom to tell is looked for in any account, because an
-- event on a partner's record may concern members of AWS. Calls reach no address.
CREATE POLICY events_of_account ON contact TO notification_app
  USING ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)))
  WITH CHECK ((SELECT current_setting('app.side', true)) = 'system'
    AND account_id = (SELECT current_setting('app.account', true)));
CREATE POLICY events_find_anyone ON contact FOR SELECT TO notification_app
  USING ((SELECT current_setting('app.side', true)) = 'system');
CREATE POLICY events_find_anyone ON directory_member FOR SELECT TO notification_app
  USING ((SELECT current_setting('app.side', true)) = 'system');
CREATE POLICY events_find_anyone ON directory_account FOR SELECT TO notification_app
  USING ((SELECT current_setting('app.side', true)) = 'system');

GRANT SELECT, INSERT, UPDATE ON contact TO notification_app;
