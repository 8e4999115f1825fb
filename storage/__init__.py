"""Where the memory is written down: one SQLite file."""
