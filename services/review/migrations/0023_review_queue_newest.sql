-- no-transaction
-- The review queue, newest first, read backwards: the cases that wait for a decision, then the others.
CREATE INDEX CONCURRENTLY IF NOT EXISTS review_queue_newest
  ON review_case ((state IN ('SUBMITTED', 'IN_REVIEW')), submit_time, review_case_id);
