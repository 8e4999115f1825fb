"""Budgets of a day in tokens and money: of a person, of a conversation, and of the bot."""

from __future__ import annotations

from datetime import UTC, datetime

from bot import texts
from bot.access.limits import ALERT_LEVELS, is_spent, spent_share
from bot.access.policy import Subject
from bot.config.settings import LimitsSettings
from bot.domain.ports import Memory
from bot.domain.spending import Limit
from bot.runtime.alerts import Alerts


class Budgets:
    """Compares what was spent with what may be. Raises StorageError.

    A budget that is spent stays so until the day ends: nothing is read again before.
    """

    def __init__(self, memory: Memory, alerts: Alerts, limits: LimitsSettings) -> None:
        self._memory = memory
        self._alerts = alerts
        self._limits = limits
        self._spent_days: dict[str, float] = {}  # when the day began that each budget has spent

    async def find_spent(self, subject: Subject, midnight: float) -> Limit | None:
        """Return the budget of this day that is spent: the person's, the conversation's, the bot's; None for none."""
        limits, person, place = self._limits, subject.person, subject.place.key
        if not (subject.operator or subject.admin):
            if await self._is_over(midnight, limits.person_tokens, limits.person_dollars, author=person):
                return Limit.PERSON
            if await self._is_over(midnight, limits.place_tokens, limits.place_dollars, place=place):
                return Limit.PLACE
        return Limit.BOT if await self._is_bot_over(midnight) and not subject.admin else None

    async def _is_over(self, midnight: float, tokens: int, dollars: float, author: str = "", place: str = "") -> bool:
        """Compare what a person or a place has spent in this day."""
        if not (tokens or dollars):
            return False
        name = f"{author} {place}"
        if self._spent_days.get(name) != midnight:
            spending = await self._memory.toll(midnight, author, place)
            if is_spent(spending, tokens, dollars):
                self._mark_spent(name, midnight)
        return self._spent_days.get(name) == midnight

    async def _is_bot_over(self, midnight: float) -> bool:
        """Compare what the bot has spent in this day; the admins are told before it has all, and then."""
        limits = self._limits
        if self._spent_days.get("") == midnight or not (limits.dollars or limits.tokens):
            return self._spent_days.get("") == midnight
        spending = await self._memory.toll(midnight)
        share, day = spent_share(spending, limits.dollars, limits.tokens), datetime.fromtimestamp(midnight, UTC)
        for level in (level for level in ALERT_LEVELS if share >= level):
            sentence = texts.SPENT[level].format(dollars=spending.dollars, tokens=spending.unpriced)
            # by its day: the kind comes back in a week
            self._alerts.tell(f"limit {level:.0%} {day.astimezone():%a}", sentence)
        if share >= 1.0:
            self._mark_spent("", midnight)
        return share >= 1.0

    def _mark_spent(self, name: str, midnight: float) -> None:
        self._spent_days = {key: day for key, day in self._spent_days.items() if day == midnight} | {name: midnight}
