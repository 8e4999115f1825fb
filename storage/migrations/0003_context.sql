-- What came with a question besides its words: text that the model is told, and files that it is shown while the
-- question is in the window.
DROP VIEW asked;

ALTER TABLE turns ADD COLUMN material TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN moment TEXT NOT NULL DEFAULT '';

CREATE TABLE files (
    place INTEGER NOT NULL REFERENCES places (id),
    turn INTEGER NOT NULL REFERENCES turns (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (place, turn, position)
);

-- What was said in a place, in short: each summary is of all messages of it from number `since` to `until`. It is void,
-- and gone, as soon as one of them changes; `revision` of the place counts such changes. The model is shown the latest
-- summary, and as they are the messages from number `start` of the place on.
CREATE TABLE summaries (
    place INTEGER NOT NULL REFERENCES places (id),
    until INTEGER NOT NULL,
    since INTEGER NOT NULL,
    content TEXT NOT NULL,
    created REAL NOT NULL,
    PRIMARY KEY (place, until)
) WITHOUT ROWID;

ALTER TABLE places ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE places ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- What was asked of models and what it cost, in US dollars; NULL where no price is known. A turn may have several rows:
-- further attempts, and the summary that was made after it.
CREATE TABLE usage (
    id INTEGER PRIMARY KEY,
    turn INTEGER REFERENCES turns (id),
    place INTEGER NOT NULL REFERENCES places (id),
    author TEXT NOT NULL,
    model TEXT NOT NULL,
    purpose TEXT NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    written INTEGER NOT NULL,
    cost REAL,
    created REAL NOT NULL
);

CREATE INDEX usage_created ON usage (created);
CREATE INDEX usage_of_author ON usage (author, created);

INSERT INTO usage (turn, place, author, model, purpose, input, output, cached, written, created)
SELECT id, place, platform || ':' || author, model, 'answer', input, output, cached, 0, coalesce(finished, created)
FROM turns WHERE model <> '';

ALTER TABLE turns DROP COLUMN input;
ALTER TABLE turns DROP COLUMN output;
ALTER TABLE turns DROP COLUMN cached;

-- What can be answered anew. `last` while nothing was asked after it in its place.
CREATE VIEW asked AS
SELECT id, platform, command, posts, draft, state, begun, attempt, created, finished, joined, material, NOT EXISTS (
    SELECT 1 FROM turns AS later WHERE later.place = turns.place AND later.id > turns.id AND later.command = ''
) AS last
FROM turns WHERE forgotten = 0;
