-- What the operator's option on marketing staff was when it was last applied to a member (ACC-013).
ALTER TABLE member ADD COLUMN marketing_sees_all boolean NOT NULL DEFAULT false;

-- The worker finds the members to whom another option applies now; it reads nothing else of them.
CREATE POLICY all_accounts ON member FOR SELECT TO partner_worker
  USING ((SELECT current_setting('app.side', true)) = 'work');
GRANT SELECT (account_id, member_id, roles, marketing_sees_all) ON member TO partner_worker;
