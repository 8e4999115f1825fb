"""Arithmetic of limits: what is left, and when there is more. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.config.settings import LimitsSettings
from bot.domain.spending import Limit, Spending

MINUTE = 60.0
NO_LIMITS = LimitsSettings(
    turns_per_minute=0, turns_per_day=0, person_tokens=0, person_dollars=0, place_tokens=0, place_dollars=0,
    dollars=0, tokens=0,
)  # fmt: skip
"""No limit at all."""
ALERT_LEVELS = (0.8, 1.0)
"""Parts of the bot's own limit at which the admins are told."""


def spent_share(spending: Spending, dollars: float, tokens: int) -> float:
    """Return the part of the bot's budget that is spent, 1.0 for all; what has no price counts by its tokens."""
    return (spending.dollars / dollars if dollars else 0.0) + (spending.unpriced / tokens if tokens else 0.0)


def is_spent(spending: Spending, tokens: int, dollars: float) -> bool:
    """Return True where a person or a place has spent what they may; a budget of 0 has no end."""
    return bool((tokens and spending.tokens >= tokens) or (dollars and spending.dollars >= dollars))


def find_limit(
    times: Sequence[float], now: float, midnight: float, settings: LimitsSettings
) -> tuple[Limit, float] | None:
    """Return the limit on questions that is reached, and when one more may be asked; None where one may now.

    `times` are when a person asked, the oldest first; `midnight` is when this day began.
    """
    today = sum(1 for at in times if at >= midnight)
    if settings.turns_per_day and today >= settings.turns_per_day:
        return Limit.DAY, end_of_day(midnight)
    most = settings.turns_per_minute
    if most and len(times) >= most and now - times[-most] < MINUTE:
        return Limit.MINUTE, times[-most] + MINUTE
    return None


def end_of_day(midnight: float) -> float:
    """Return when the day that began then ends, in this machine's time zone."""
    day = datetime.fromtimestamp(midnight, UTC).astimezone().replace(tzinfo=None).date()
    return datetime.combine(day + timedelta(1), datetime.min.time()).timestamp()


def describe_wait(seconds: float) -> str:
    """Return a wait for people to read: "in 40 seconds", "in about 5 hours"."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds > 1.5 * size:
            return f"in about {round(seconds / size)} {unit}s"
    count = max(1, round(seconds))
    return f"in {count} second{'' if count == 1 else 's'}"


def describe_limits(settings: LimitsSettings) -> str:
    """Return the limits that are set, in one line for the operator."""
    every = (
        (settings.turns_per_minute, "{:,} questions a minute and person"),
        (settings.turns_per_day, "{:,} questions a day and person"),
        (settings.person_tokens, "{:,} tokens a day and person"),
        (settings.person_dollars, "{:,.2f} US $ a day and person"),
        (settings.place_tokens, "{:,} tokens a day and conversation"),
        (settings.place_dollars, "{:,.2f} US $ a day and conversation"),
        (settings.dollars, "{:,.2f} US $ a day in all"),
        (settings.tokens, "{:,} tokens a day in all where no price is known"),
    )
    return "; ".join(form.format(value) for value, form in every if value) or "none"
