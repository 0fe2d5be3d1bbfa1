-- no-transaction
-- The review queue, oldest first: the cases that wait for a decision, then the others. review_case_by_age, which served
-- the list before, is still used by processes of the previous version, and for ranges of submission times.
CREATE INDEX CONCURRENTLY IF NOT EXISTS review_queue_oldest
  ON review_case ((state NOT IN ('SUBMITTED', 'IN_REVIEW')), submit_time, review_case_id);
