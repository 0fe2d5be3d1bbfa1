-- How far a company has come in the programme is shown with its profile (DIR-002), and an address is asked to join so
-- often a day only (DIR-016).
ALTER TABLE profile ADD COLUMN tier text NOT NULL DEFAULT 'REGISTERED'
  CHECK (tier IN ('REGISTERED', 'SELECT', 'ADVANCED', 'PREMIER'));
