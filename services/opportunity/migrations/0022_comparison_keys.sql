-- The keys by which company names and partner identifiers are compared (PLT-016), written with each change.
--
-- `keyed_revision` is the revision whose texts have their keys and search terms. A process of the version before does
-- not write it, so the worker finds the row and keys it (src/workers/comparison_keys.rs).
ALTER TABLE opportunity
  ADD COLUMN company_key            text    NOT NULL DEFAULT '',
  ADD COLUMN partner_identifier_key text    NOT NULL DEFAULT '',
  -- Its own number if another opportunity has the key: both were stored when only equal identifiers were refused.
  ADD COLUMN partner_identifier_collision bigint NOT NULL DEFAULT 0,
  ADD COLUMN keyed_revision         bigint;

-- Existing rows. The database folds ASCII as the service does, so those rows are final. The others get the key
-- that the database can compute, until the worker writes theirs. The owner sees no row beneath FORCE, so it is lifted for this transaction.
ALTER TABLE opportunity NO FORCE ROW LEVEL SECURITY;
UPDATE opportunity o
SET company_key = k.company, partner_identifier_key = k.identifier,
  partner_identifier_collision = CASE WHEN k.identifier <> '' AND k.position > 1 THEN o.opportunity_id ELSE 0 END,
  keyed_revision = CASE WHEN k.is_ascii THEN o.revision END
FROM (
  SELECT account_id, opportunity_id, company, identifier, is_ascii,
    row_number() OVER (PARTITION BY account_id, identifier ORDER BY create_time, opportunity_id) AS position
  FROM opportunity
  CROSS JOIN LATERAL (SELECT
    lower(normalize(company_name, NFKC) COLLATE "C") AS company,
    lower(normalize(partner_opportunity_identifier, NFKC) COLLATE "C") AS identifier,
    concat(company_name, partner_opportunity_identifier, record #>> '{details,project,title}',
      record #>> '{details,project,customer_business_problem}') !~ '[^[:ascii:]]' AS is_ascii) AS keys
) AS k
WHERE k.account_id = o.account_id AND k.opportunity_id = o.opportunity_id;
DO $$
DECLARE
  collision record;
BEGIN
  FOR collision IN SELECT account_id, opportunity_id FROM opportunity WHERE partner_identifier_collision <> 0 LOOP
    RAISE WARNING 'the partner identifier of opportunity O% of account % equals that of another opportunity',
      collision.opportunity_id, collision.account_id;
  END LOOP;
END $$;
ALTER TABLE opportunity FORCE ROW LEVEL SECURITY;

-- Of a national-security record AWS sees no company (OPP-017).
ALTER TABLE opportunity
  ADD COLUMN is_keyed boolean NOT NULL GENERATED ALWAYS AS (keyed_revision IS NOT DISTINCT FROM revision) STORED,
  ADD COLUMN company_key_for_aws text NOT NULL GENERATED ALWAYS AS (
    CASE WHEN record #> '{details,national_security}' = 'true'::jsonb THEN '' ELSE company_key END) STORED;

-- Beside the index on the identifiers themselves, which a process of the version before relies on (OPP-003).
CREATE UNIQUE INDEX opportunity_partner_identifier_key
  ON opportunity (account_id, partner_identifier_key, partner_identifier_collision) WHERE partner_identifier_key <> '';
-- When the opportunity that has a key loses it, the oldest of the others gets it, so that no new one does.
CREATE FUNCTION pass_partner_identifier_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE opportunity SET partner_identifier_collision = 0
  WHERE account_id = OLD.account_id AND opportunity_id = (
    SELECT opportunity_id FROM opportunity
    WHERE account_id = OLD.account_id AND partner_identifier_key = OLD.partner_identifier_key
      AND partner_identifier_key <> ''
    ORDER BY create_time, opportunity_id LIMIT 1);
  RETURN NULL;
END $$;
CREATE TRIGGER partner_identifier_key_deleted AFTER DELETE ON opportunity FOR EACH ROW
  WHEN (OLD.partner_identifier_key <> '' AND OLD.partner_identifier_collision = 0)
  EXECUTE FUNCTION pass_partner_identifier_key();
CREATE TRIGGER partner_identifier_key_changed AFTER UPDATE OF partner_identifier_key ON opportunity FOR EACH ROW
  WHEN (OLD.partner_identifier_key <> '' AND OLD.partner_identifier_collision = 0
    AND OLD.partner_identifier_key <> NEW.partner_identifier_key)
  EXECUTE FUNCTION pass_partner_identifier_key();
CREATE INDEX opportunity_unkeyed ON opportunity (account_id, opportunity_id) WHERE NOT is_keyed;
-- Lists filter and sort by the key of the company (OPP-060).
DROP INDEX opportunity_by_company, opportunity_of_all_by_company;
CREATE INDEX opportunity_by_company ON opportunity (account_id, company_key, opportunity_id);
CREATE INDEX opportunity_of_all_by_company ON opportunity (company_key_for_aws, opportunity_id)
  WHERE review_status <> 'PENDING_SUBMISSION';

-- The worker finds rows without keys, and reads nothing of them but their ids (ACC-020).
CREATE POLICY unkeyed ON opportunity FOR SELECT TO opportunity_worker
  USING ((SELECT current_setting('app.side', true)) = 'work' AND NOT is_keyed);
GRANT SELECT (account_id, opportunity_id, is_keyed) ON opportunity TO opportunity_worker;
