-- News of records that were given to others, of deals that are open again, and of jobs on many records.

ALTER TABLE notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notification ADD CONSTRAINT notification_kind_check CHECK (kind IN ('OPPORTUNITY_SUBMITTED',
  'ACTION_REQUIRED', 'OPPORTUNITY_APPROVED', 'OPPORTUNITY_REJECTED', 'REVIEW_REQUESTED', 'CONNECTION_REQUESTED',
  'CONNECTION_ACCEPTED', 'CONNECTION_REJECTED', 'ROLES_CHANGED', 'MEMBER_LEFT', 'OWNERSHIP_CHANGED',
  'OPPORTUNITY_REOPENED', 'BULK_FINISHED'));
