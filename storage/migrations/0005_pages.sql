-- How many pages a document has: a provider takes so many in one request, whichever questions they came with. 0 where
-- nobody counted them.
ALTER TABLE files ADD COLUMN pages INTEGER NOT NULL DEFAULT 0;
