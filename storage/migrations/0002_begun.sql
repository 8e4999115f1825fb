-- `begun` is set before anything of an answer is posted: after a crash, a post may stand there that no one wrote down.
ALTER TABLE turns ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;

-- Of the turns that are open now, only the first of a place can have been begun.
UPDATE turns SET begun = 1 WHERE posts <> '[]' OR id IN (
    SELECT min(id) FROM turns WHERE finished IS NULL AND command = '' GROUP BY place
);

DROP VIEW asked;

-- What can be answered anew. `last` while nothing was asked after it in its place.
CREATE VIEW asked AS
SELECT id, platform, command, posts, draft, state, begun, attempt, created, finished, joined, NOT EXISTS (
    SELECT 1 FROM turns AS later WHERE later.place = turns.place AND later.id > turns.id AND later.command = ''
) AS last
FROM turns WHERE forgotten = 0;
