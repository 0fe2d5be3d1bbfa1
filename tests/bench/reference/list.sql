-- The transaction of ListOpportunities with 20 records a page, as of 2026-11-30.
-- Never changed: later figures are compared with it.
BEGIN;
SELECT set_config('app.account', '111111111111', true), set_config('app.side', 'partner', true), set_config('statement_timeout', '5000ms', true);
SELECT record, EXISTS (SELECT FROM opportunity_flag f WHERE f.account_id = opportunity.account_id
  AND f.opportunity_id = opportunity.opportunity_id AND f.member_account_id = '111111111111' AND f.member_id = 'alder-ace-user'), company_key FROM opportunity WHERE account_id = '111111111111' AND (owner_member_id = 'alder-ace-user' OR created_by = 'alder-ace-user' OR submitted_by = 'alder-ace-user') ORDER BY update_time DESC, opportunity_id DESC LIMIT 21;
ROLLBACK;
