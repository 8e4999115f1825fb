"""The engine: it knows that people talk, not where. Start at `engine`; the outside world is named in `ports`."""
