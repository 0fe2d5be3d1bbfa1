-- Reads a record and whether a member has flagged it, in one round trip: sets the scope of row-level security for its
-- transaction, then reads. Only a procedural language defines that order. Runs with the privileges of its caller.
-- `of_account` is NULL for readers of all accounts.
CREATE FUNCTION read_opportunity(
  scope_account text, scope_side text, of_account text, id bigint, flag_account text, flag_member text
) RETURNS TABLE (record jsonb, is_flagged boolean) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.account', scope_account, true), set_config('app.side', scope_side, true);
  RETURN QUERY
    SELECT row.record, EXISTS (
      SELECT FROM opportunity_flag flag WHERE flag.account_id = row.account_id
        AND flag.opportunity_id = row.opportunity_id AND flag.member_account_id = flag_account
        AND flag.member_id = flag_member)
    FROM opportunity row WHERE row.opportunity_id = id AND (of_account IS NULL OR row.account_id = of_account);
END $$;
