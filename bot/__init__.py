"""The engine: it knows that people talk, not where. Start reading at `engine`; the outside world is named in `ports`."""
