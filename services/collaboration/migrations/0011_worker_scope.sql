-- The worker too says what it is there for: a session that states nothing sees nothing, whatever its role. This file is
-- the same, byte for byte, in every service: a migration is history, so it is copied, not included.
DO $$
DECLARE
  worker name := current_schema() || '_worker';
  works  text := '(SELECT current_setting(''app.side'', true)) = ''work''';
  policy record;
BEGIN
  FOR policy IN
    SELECT tablename, policyname, qual, with_check FROM pg_policies
    WHERE schemaname = current_schema() AND roles = ARRAY[worker] AND 'true' IN (qual, with_check)
  LOOP
    EXECUTE format('ALTER POLICY %I ON %I %s %s', policy.policyname, policy.tablename,
      CASE WHEN policy.qual = 'true' THEN format('USING (%s)', works) ELSE '' END,
      CASE WHEN policy.with_check = 'true' THEN format('WITH CHECK (%s)', works) ELSE '' END);
  END LOOP;
END $$;
