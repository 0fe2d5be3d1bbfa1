-- What belongs to deals: offers, of which each has one deal (OPP-047); the solutions that partners have registered and
-- the products of AWS (OPP-046); and whose entities partners may name besides their own (OPP-048).

ALTER TABLE opportunity ADD COLUMN marketplace_offer text;
CREATE UNIQUE INDEX opportunity_marketplace_offer ON opportunity (account_id, marketplace_offer)
  WHERE marketplace_offer IS NOT NULL;

CREATE TABLE solution (
  account_id           text        NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  solution_id          text        NOT NULL CHECK (solution_id ~ '^S-[0-9]{1,19}$'),
  name                 text        NOT NULL,
  status               text        NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE', 'DRAFT')),
  category             text        NOT NULL,
  marketplace_solution text        NOT NULL,
  create_time          timestamptz NOT NULL,
  PRIMARY KEY (account_id, solution_id)
);

CREATE TABLE product (
  product_id  text PRIMARY KEY,
  name        text NOT NULL,
  family      text NOT NULL,
  description text NOT NULL
);

-- Connections with the type SUBSIDIARY, and whether it is in force.
CREATE TABLE subsidiary (
  account_id       text    NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
  other_account_id text    NOT NULL CHECK (other_account_id ~ '^[0-9]{12}$'),
  connection_id    text    NOT NULL,
  is_active        boolean NOT NULL,
  PRIMARY KEY (account_id, connection_id)
);

DO $$
DECLARE
  tab text;
BEGIN
  FOREACH tab IN ARRAY ARRAY['solution', 'subsidiary'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY own_account ON %I TO opportunity_app
      USING (account_id = (SELECT current_setting(''app.account'', true)))
      WITH CHECK (account_id = (SELECT current_setting(''app.account'', true)))', tab);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO opportunity_app', tab);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON product TO opportunity_app;
