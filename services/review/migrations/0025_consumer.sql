-- A consumer moves the positions of many aggregates in one transaction, of as many accounts. Its role is a member of the
-- app role, which has the privileges of the effects; these see one account, as before. This file is the same, byte for
-- byte, in every service.
DO $$
DECLARE
  consumer name := current_schema() || '_consumer';
  tab      text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['inbox', 'aggregate_cursor'] LOOP
    EXECUTE format('CREATE POLICY positions_of_all_accounts ON %I TO %I
      USING ((SELECT current_setting(''app.side'', true)) = ''consumer'')
      WITH CHECK ((SELECT current_setting(''app.side'', true)) = ''consumer'')', tab, consumer);
  END LOOP;
END $$;
