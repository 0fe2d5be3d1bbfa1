-- The foreign key made each of the tens of search terms of a record look the record up. A term is written only with its
-- record, in one transaction; the trigger deletes the terms of a discarded draft, as the key did.
ALTER TABLE opportunity_word DROP CONSTRAINT opportunity_word_account_id_opportunity_id_fkey;
CREATE FUNCTION delete_search_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM opportunity_word WHERE account_id = OLD.account_id AND opportunity_id = OLD.opportunity_id;
  RETURN NULL;
END $$;
CREATE TRIGGER delete_search_terms AFTER DELETE ON opportunity FOR EACH ROW EXECUTE FUNCTION delete_search_terms();
