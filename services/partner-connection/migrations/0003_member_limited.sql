-- no-transaction
-- Who holds a role of which there is not more than so many (DIR-011): a handful, also where there are 100,000 members.
CREATE INDEX CONCURRENTLY IF NOT EXISTS member_limited ON member (account_id)
  WHERE status <> 'DEACTIVATED' AND roles && ARRAY['ALLIANCE_LEAD', 'ALLIANCE_TEAM', 'ACE_MANAGER'];
