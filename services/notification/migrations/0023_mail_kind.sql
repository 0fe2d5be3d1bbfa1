-- The kind of the notification that an e-mail carries, for its link to opt out (NOT-008). NULL for e-mails to contacts,
-- and for those that the previous version queues.
ALTER TABLE mail ADD COLUMN kind text;
