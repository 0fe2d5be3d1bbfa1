-- Public profiles are there to be found by every side, but a session that states none sees none of them either, like
-- every other row (ACC-020).
ALTER POLICY public_profiles ON profile
  USING (visibility = 'PUBLIC' AND (SELECT current_setting('app.side', true)) IN ('partner', 'aws', 'service', 'system'));
