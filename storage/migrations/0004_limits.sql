-- What a person asked lately, and what a place cost, are counted before each answer.
CREATE INDEX turns_of_author ON turns (platform, author, created);
CREATE INDEX usage_of_place ON usage (place, created, input, output, cost);
DROP INDEX usage_created;
CREATE INDEX usage_created ON usage (created, input, output, cost);
CREATE INDEX usage_of_turn ON usage (turn);

-- When a question was answered anew: that counts as a further one.
CREATE TABLE retries (
    turn INTEGER NOT NULL REFERENCES turns (id),
    created REAL NOT NULL
);
CREATE INDEX retries_created ON retries (created);

-- Messages that were turned away, by their ids alone, so that none is answered when it comes or is found again.
CREATE TABLE declined (
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    created REAL NOT NULL,
    PRIMARY KEY (platform, channel, message)
) WITHOUT ROWID;

-- Whose words are in what came with a question, besides the asker's: they may have them deleted.
CREATE TABLE quoted (
    platform TEXT NOT NULL,
    author TEXT NOT NULL,
    turn INTEGER NOT NULL REFERENCES turns (id),
    PRIMARY KEY (platform, author, turn)
) WITHOUT ROWID;
CREATE INDEX quoted_in_turn ON quoted (turn);

-- Whether a question was changed since its answer was begun: it is then remembered as it reads in the end.
ALTER TABLE turns ADD COLUMN amended INTEGER NOT NULL DEFAULT 0;
