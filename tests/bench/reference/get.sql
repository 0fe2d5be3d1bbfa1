-- The transaction of GetOpportunity, as of 2026-11-30.
-- Never changed: later figures are compared with it.
\set id random(1, :records)
BEGIN;
SELECT set_config('app.account', '111111111111', true), set_config('app.side', 'partner', true), set_config('statement_timeout', '5000ms', true);
SELECT record FROM opportunity WHERE account_id = '111111111111' AND opportunity_id = :id;
SELECT time FROM opportunity_flag
  WHERE account_id = '111111111111' AND opportunity_id = :id AND member_account_id = '111111111111' AND member_id = 'alder-ace-user';
ROLLBACK;
