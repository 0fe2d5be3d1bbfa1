-- no-transaction
-- How often an address was asked to join (DIR-016); the unique index knows only those who have not left.
CREATE INDEX CONCURRENTLY IF NOT EXISTS member_address ON member (account_id, email);
