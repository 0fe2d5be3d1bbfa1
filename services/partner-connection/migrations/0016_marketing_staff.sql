-- no-transaction
-- The marketing staff of all accounts, by what they see: the worker finds the few to change among 100,000 members.
CREATE INDEX CONCURRENTLY IF NOT EXISTS member_marketing ON member (marketing_sees_all, account_id, member_id)
  WHERE roles @> ARRAY['MARKETING_STAFF'];
