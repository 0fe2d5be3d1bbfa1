-- Whether the directory lets a member see all opportunities of its account. False for members whose last event is
-- older; their roles decide then. This file is the same in every service that has a replica of the directory.
ALTER TABLE directory_member ADD COLUMN sees_all_opportunities boolean NOT NULL DEFAULT false;
