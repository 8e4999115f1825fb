-- What a person asked lately, and what a place cost, are counted before each answer.
CREATE INDEX turns_of_author ON turns (platform, author, created);
CREATE INDEX usage_of_place ON usage (place, created);
