-- What the directory says of a company, for rules that depend on it. This file is the same, byte for byte, in every
-- service that has a replica of the directory: a migration is history, so it is copied.
ALTER TABLE directory_account
  ADD COLUMN partner_types text[] NOT NULL DEFAULT '{}',
  ADD COLUMN tier          text   NOT NULL DEFAULT 'REGISTERED';
