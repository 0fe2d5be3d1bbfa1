-- The offers that an AWS account made, where the platform acts for that account without a call of one of its members:
-- the notification service asks what became of a referral (REF-057).
CREATE POLICY system_reads_sent ON offer FOR SELECT TO referral_app
  USING ((SELECT current_setting('app.side', true)) = 'system'
    AND sender_account_id = (SELECT current_setting('app.account', true)));
