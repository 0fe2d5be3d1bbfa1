-- News that is about no opportunity: connections between companies, and members.

ALTER TABLE notification ALTER COLUMN opportunity_id DROP NOT NULL;
ALTER TABLE notification ADD COLUMN connection_invitation_id text;
ALTER TABLE notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notification ADD CONSTRAINT notification_kind_check CHECK (kind IN ('OPPORTUNITY_SUBMITTED',
  'ACTION_REQUIRED', 'OPPORTUNITY_APPROVED', 'OPPORTUNITY_REJECTED', 'REVIEW_REQUESTED', 'CONNECTION_INVITATION_CREATED',
  'CONNECTION_INVITATION_ACCEPTED', 'CONNECTION_INVITATION_REJECTED', 'ROLES_CHANGED', 'MEMBER_DEACTIVATED'));
