-- A place is where a conversation lives; its notes outlive a /reset.
CREATE TABLE places (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    metadata TEXT NOT NULL DEFAULT '{}',
    created REAL NOT NULL
);

-- The journal: a turn for each message that asked for an answer. Its ids stay for good, so that nothing is answered
-- twice; `question`, the incoming message as JSON, until its place is forgotten. `joined` is the turn that it became a
-- part of, `draft` what was shown of an answer that has no end yet; `attempt` counts how often it was answered anew.
CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL REFERENCES places (id),
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    author TEXT NOT NULL,
    command TEXT NOT NULL DEFAULT '',
    question TEXT,
    joined INTEGER REFERENCES turns (id),
    draft TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    posts TEXT NOT NULL DEFAULT '[]',
    attempt INTEGER NOT NULL DEFAULT 0,
    model TEXT NOT NULL DEFAULT '',
    fault TEXT NOT NULL DEFAULT '',
    input INTEGER NOT NULL DEFAULT 0,
    output INTEGER NOT NULL DEFAULT 0,
    cached INTEGER NOT NULL DEFAULT 0,
    forgotten INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    finished REAL,
    UNIQUE (platform, channel, message)
);

CREATE INDEX turns_of_place ON turns (place, forgotten);
CREATE INDEX turns_unfinished ON turns (platform) WHERE finished IS NULL;
CREATE INDEX turns_joined ON turns (joined) WHERE joined IS NOT NULL;

-- Which turn each of the bot's own messages answers, so that its deletion finds it.
CREATE TABLE posts (
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    post TEXT NOT NULL,
    turn INTEGER NOT NULL REFERENCES turns (id),
    PRIMARY KEY (platform, channel, post)
) WITHOUT ROWID;

-- The memory, in whole turns. Rows of a place are neighbours. `number` is twice the turn's id for a question and one
-- more for its answer: it orders the record, leads to the turn and is never used again.
CREATE TABLE messages (
    place INTEGER NOT NULL REFERENCES places (id),
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    author TEXT NOT NULL DEFAULT '',
    content TEXT NOT NULL,
    created REAL NOT NULL,
    PRIMARY KEY (place, number)
) WITHOUT ROWID;

-- What can be answered anew. `last` while nothing was asked after it in its place.
CREATE VIEW asked AS
SELECT id, platform, command, posts, draft, state, attempt, created, finished, joined, NOT EXISTS (
    SELECT 1 FROM turns AS later WHERE later.place = turns.place AND later.id > turns.id AND later.command = ''
) AS last
FROM turns WHERE forgotten = 0;
