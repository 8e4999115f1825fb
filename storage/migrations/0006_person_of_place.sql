-- Whose own conversation a place is, with whose id its key ends; empty where all who speak there share one.
ALTER TABLE places ADD COLUMN person TEXT NOT NULL DEFAULT '';

CREATE INDEX places_of_people ON places (person) WHERE person <> '';
