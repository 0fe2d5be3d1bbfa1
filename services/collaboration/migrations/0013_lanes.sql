-- Events that come by the thousand, as those of the master list do, wait for those that do not: whoever withdraws a role
-- must not have to wait until a list is through. This file is the same, byte for byte, in every service: a migration is
-- history, so it is copied, not included.
ALTER TABLE outbox_pending ADD COLUMN bulk boolean NOT NULL DEFAULT false;
CREATE INDEX outbox_pending_live ON outbox_pending (seq) WHERE NOT bulk;
-- What is published for an aggregate takes along what of it waits in bulk: the order of an aggregate is kept.
CREATE INDEX outbox_pending_bulk ON outbox_pending (aggregate_id, seq) WHERE bulk;
