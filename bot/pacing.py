"""How often the bot may touch a platform: one `Pacer` for each of the platform's rate limits."""

from __future__ import annotations


class Pacer:
    """One rate limit of a platform, shared by all who share the limit.

    It starts from `limit` calls in `period` seconds and follows the platform's own words: adapters tell it what they
    read with `observe` and `back_off`; replies ask it for their turn.
    """

    def __init__(self, limit: int, period: float) -> None:
        self.limit = limit
        self.period = period

    def observe(self, limit: int, remaining: int, reset_after: float) -> None:
        """Take in a response's headers: calls allowed, calls left, seconds until the platform's own reset."""

    def back_off(self, seconds: float) -> None:
        """Take in a refusal: nothing may go for so many seconds."""
