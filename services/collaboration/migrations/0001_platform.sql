-- The tables that every service has: idempotency, events out, events in. This file is the same, byte for byte, in
-- every service: a migration is history, so it is copied, not included.
--
-- Rights: <schema>_app serves calls and applies events, always for one account (app.account, app.side);
-- <schema>_worker relays, prunes and reports over all accounts, and reaches no record of anybody.
-- account_id leads every key, so that rows of an account can live together on a distributed engine.

-- What clients asked under an id of their own (AIP-155).
CREATE TABLE request (
  account_id  text        NOT NULL,
  actor       text        NOT NULL,
  request_id  uuid        NOT NULL,
  method      text        NOT NULL,
  fingerprint bytea       NOT NULL,
  resource    text        NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (account_id, actor, request_id)
);
-- For pruning, which goes over all accounts.
CREATE INDEX request_create_time ON request (create_time);

-- Every event ever caused here, append-only: what is replayed and what the stream can be rebuilt from.
CREATE SEQUENCE event_seq;
CREATE TABLE event_journal (
  account_id        text        NOT NULL,
  occurred_at       timestamptz NOT NULL,
  event_id          uuid        NOT NULL,
  seq               bigint      NOT NULL,
  -- All events of an aggregate fall into one shard, which one relay publishes at a time.
  shard             smallint    NOT NULL,
  aggregate_type    text        NOT NULL,
  aggregate_id      text        NOT NULL,
  aggregate_version bigint      NOT NULL CHECK (aggregate_version > 0),
  type              text        NOT NULL,
  subject           text        NOT NULL,
  headers           jsonb       NOT NULL,
  payload           bytea       NOT NULL,
  PRIMARY KEY (account_id, occurred_at, event_id)
) PARTITION BY RANGE (occurred_at);
-- What really keeps versions unique is the aggregate's row; this finds an aggregate's events.
CREATE UNIQUE INDEX event_journal_version
  ON event_journal (account_id, aggregate_id, aggregate_version, occurred_at);
-- For the relay and for republishing.
CREATE INDEX event_journal_seq ON event_journal (seq);

-- Which events still have to be published. Small and normally empty: the relay asks what is pending, never what
-- comes after a number, so an event that is committed late is simply found later.
CREATE TABLE outbox_pending (
  seq          bigint      PRIMARY KEY,
  occurred_at  timestamptz NOT NULL,
  shard        smallint    NOT NULL,
  aggregate_id text        NOT NULL,
  attempts     int         NOT NULL DEFAULT 0,
  -- The broker refuses this event for itself; it waits for an operator, and its aggregate with it.
  blocked      boolean     NOT NULL DEFAULT false
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX outbox_pending_blocked ON outbox_pending (aggregate_id, seq) WHERE blocked;

-- Who may publish a shard, until when. The epoch fences a holder that was thought dead.
CREATE TABLE relay_lease (
  shard      smallint    PRIMARY KEY,
  owner      text        NOT NULL,
  epoch      bigint      NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Which events had their effect here.
CREATE TABLE inbox (
  account_id  text        NOT NULL,
  consumer    text        NOT NULL,
  event_id    uuid        NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (account_id, consumer, event_id)
);
CREATE INDEX inbox_received_at ON inbox (received_at);

-- Up to which version each aggregate's events had their effect; what proves that none did twice or out of order.
CREATE TABLE aggregate_cursor (
  account_id   text    NOT NULL,
  consumer     text    NOT NULL,
  aggregate_id text    NOT NULL,
  version      bigint  NOT NULL,
  -- An event of this aggregate is a dead letter; later ones join it until it is redriven.
  parked       boolean NOT NULL DEFAULT false,
  PRIMARY KEY (account_id, consumer, aggregate_id)
);

-- Events that could not have their effect, in full, to be redriven.
CREATE TABLE dead_letter (
  account_id        text        NOT NULL,
  consumer          text        NOT NULL,
  event_id          uuid        NOT NULL,
  aggregate_id      text        NOT NULL,
  aggregate_version bigint      NOT NULL,
  type              text        NOT NULL,
  subject           text        NOT NULL,
  headers           jsonb       NOT NULL,
  payload           bytea       NOT NULL,
  error_class       text        NOT NULL CHECK (error_class IN ('permanent', 'bug', 'parked', 'refused')),
  error             text        NOT NULL,
  attempts          bigint      NOT NULL,
  parked_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  resolved_at       timestamptz,
  PRIMARY KEY (account_id, consumer, event_id)
);
CREATE INDEX dead_letter_open ON dead_letter (account_id, consumer, aggregate_id, aggregate_version)
  WHERE resolved_at IS NULL;

-- Monthly partitions of the journal, this month and three ahead. The default partition takes what fits in none, so
-- that no write ever fails for want of a partition.
CREATE TABLE event_journal_default PARTITION OF event_journal DEFAULT;

CREATE FUNCTION platform_create_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first date;
  name  text;
BEGIN
  FOR ahead IN 0..3 LOOP
    first := date_trunc('month', now() AT TIME ZONE 'UTC')::date + make_interval(months => ahead);
    name := 'event_journal_' || to_char(first, 'YYYY_MM');
    IF to_regclass(name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF event_journal FOR VALUES FROM (%L) TO (%L)',
        name, first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00');
      EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END IF;
  END LOOP;
END $$;
ALTER TABLE event_journal_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_journal_default FORCE ROW LEVEL SECURITY;

-- Row-level security (ACC-020). Without app.account nothing matches: no account is the empty string.
DO $$
DECLARE
  app    text := current_schema() || '_app';
  worker text := current_schema() || '_worker';
  tab    text;
BEGIN
  EXECUTE format('REVOKE ALL ON FUNCTION platform_create_partitions() FROM PUBLIC');
  EXECUTE format('GRANT SELECT ON _sqlx_migrations TO %I, %I', app, worker);
  EXECUTE format('GRANT USAGE ON SEQUENCE event_seq TO %I', app);

  FOREACH tab IN ARRAY ARRAY['request', 'event_journal', 'inbox', 'aggregate_cursor', 'dead_letter'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY own_account ON %I TO %I
      USING (account_id = (SELECT current_setting(''app.account'', true)))
      WITH CHECK (account_id = (SELECT current_setting(''app.account'', true)))', tab, app);
    EXECUTE format('CREATE POLICY all_accounts ON %I TO %I USING (true) WITH CHECK (true)', tab, worker);
  END LOOP;
  -- AWS causes events on records of partners; it appends them and reads none.
  EXECUTE format('CREATE POLICY aws_appends ON event_journal FOR INSERT TO %I
    WITH CHECK ((SELECT current_setting(''app.side'', true)) = ''aws'')', app);

  EXECUTE format('GRANT SELECT, INSERT ON request, inbox TO %I', app);
  EXECUTE format('GRANT INSERT ON event_journal, outbox_pending TO %I', app);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON aggregate_cursor, dead_letter TO %I', app);
  EXECUTE format('GRANT SELECT, DELETE ON request, inbox TO %I', worker);
  EXECUTE format('GRANT SELECT ON event_journal, aggregate_cursor TO %I', worker);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_pending, relay_lease TO %I', worker);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON dead_letter TO %I', worker);
END $$;
