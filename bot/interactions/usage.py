"""`/usage`: what a person asked and what it cost, as sentences for them."""

from __future__ import annotations

from bot.domain.spending import UNKNOWN_COST, UsageRow

DEFAULT_DAYS = 30
"""Days that are counted where nobody says how many, today among them."""


def describe_usage(today: UsageRow, month: UsageRow) -> str:
    """Return what a person used today and in the last 30 days, for them to read."""
    if not month.requests:
        return f"You have asked me nothing in the last {DEFAULT_DAYS} days."
    first = f"Today: {_describe(today)}" if today.requests else "Today you have asked me nothing."
    return f"{first}\nIn the last {DEFAULT_DAYS} days: {_describe(month)}"


def _describe(row: UsageRow) -> str:
    questions = f"{row.turns:,} question{'' if row.turns == 1 else 's'}"
    tokens = f"{row.input + row.output:,} tokens, {row.cached:,} of them from the cache"
    return f"{questions}, {tokens}. {_describe_price(row)}"


def _describe_price(row: UsageRow) -> str:
    if row.money == UNKNOWN_COST:
        return "What that cost is not known."
    if row.unpriced:
        return f"That cost ${row.cost:,.2f} and something more, of which the price is not known."
    return "That cost less than a cent." if 0 < row.cost < 0.005 else f"That cost ${row.cost:,.2f}."
