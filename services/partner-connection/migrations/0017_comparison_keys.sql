-- The keys by which the partner search compares names and descriptions (PLT-016), written with each change.
--
-- `keyed_text` is the text that has its keys. A process of the version before does not write it, so the worker finds
-- the row and keys it (src/workers/comparison_keys.rs). It does so with all existing rows, which have the
-- keys that the database can compute until then. The owner sees no row beneath FORCE, so it is lifted for this transaction.
ALTER TABLE profile
  ADD COLUMN name_key        text NOT NULL DEFAULT '',
  ADD COLUMN description_key text NOT NULL DEFAULT '',
  ADD COLUMN keyed_text      text,
  ADD COLUMN is_keyed        boolean NOT NULL GENERATED ALWAYS AS (
    keyed_text IS NOT DISTINCT FROM display_name || chr(10) || description) STORED;
ALTER TABLE profile NO FORCE ROW LEVEL SECURITY;
UPDATE profile SET name_key = lower(normalize(display_name, NFKC)), description_key = lower(normalize(description, NFKC));
ALTER TABLE profile FORCE ROW LEVEL SECURITY;

DROP INDEX profile_by_name;
CREATE INDEX profile_by_name ON profile (name_key, profile_id) WHERE visibility = 'PUBLIC';
CREATE INDEX profile_unkeyed ON profile (account_id) WHERE NOT is_keyed;

-- The worker finds rows without keys, and reads nothing of them but their account (ACC-020).
CREATE POLICY unkeyed ON profile FOR SELECT TO partner_worker
  USING ((SELECT current_setting('app.side', true)) = 'work' AND NOT is_keyed);
GRANT SELECT (account_id, is_keyed) ON profile TO partner_worker;
