"""Admission: checks access lists, rate limits and budgets before a turn is written down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bot import texts
from bot.access.budgets import Budgets
from bot.access.denials import Denial, DenialNotices
from bot.access.limits import MINUTE, NO_LIMITS, describe_wait, end_of_day
from bot.access.overrides import AdminOverrides
from bot.access.policy import AccessPolicy, Kind, Subject
from bot.access.rate_limits import RateLimits
from bot.config.settings import AccessSettings, LimitsSettings
from bot.domain.errors import StorageError
from bot.domain.ports import Memory
from bot.domain.spending import DenialReason, Limit, start_of_days
from bot.runtime.alerts import Alerts

DAY = 86_400.0


class Admission:
    """Lets questions in or turns them away. Its methods raise StorageError. `clock` gives seconds since 1970."""

    def __init__(
        self,
        memory: Memory,
        alerts: Alerts,
        access: AccessSettings | None = None,
        limits: LimitsSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        settings, limits = access or AccessSettings(), limits or NO_LIMITS
        self.notices = DenialNotices(memory, settings.notice, clock)
        self._policy = AccessPolicy(settings)
        self._overrides = AdminOverrides(memory)
        self._rates = RateLimits(memory, limits, settings.bot_turns)
        self._budgets = Budgets(memory, alerts, limits)
        self._clock = clock
        self._lock = asyncio.Lock()

    async def admit(self, subject: Subject, kind: Kind) -> Denial | None:
        """Let somebody in and count it, or return why they are turned away; a second delivery is not counted."""
        async with self._lock:
            now = self._clock()
            midnight = start_of_days(1, now)
            if kind is not Kind.OWN_WORDS and (reason := await self._find_reason(subject, kind)):
                return deny_access(reason, now)
            questions = await self._rates.load_questions(subject, midnight, now)
            if kind is not Kind.RETRY and subject.message in questions:
                return None
            if subject.bot and self._rates.has_looped(subject.place):
                return Denial("access", "", DenialReason.BOT, now + DAY)
            if reached := self._rates.find_reached(subject, kind, questions, midnight, now):
                return deny_limit(*reached, now)
            asks = kind in (Kind.QUESTION, Kind.RETRY)
            if asks and (limit := await self._budgets.find_spent(subject, midnight)):
                return deny_limit(limit, end_of_day(midnight), now)
            self._rates.count(subject, kind, questions, midnight, now)
            return None

    async def recheck(self, subject: Subject, kind: Kind) -> Denial | None:
        """Return why a question that was let in may not be asked any more, when its turn has come."""
        async with self._lock:
            now = self._clock()
            midnight = start_of_days(1, now)
            if reason := await self._find_reason(subject, kind):
                return deny_access(reason, now)
            limit = await self._budgets.find_spent(subject, midnight)
            return deny_limit(limit, end_of_day(midnight), now) if limit else None

    async def find_bar(self, subject: Subject) -> DenialReason | None:
        """Return why somebody may neither ask nor command; None for everybody else.

        The lists hold for commands as for questions, a pause does not.
        """
        async with self._lock:
            return await self._find_reason(subject, Kind.COMMAND)

    async def is_barred_offline(self, subject: Subject) -> bool:
        """Return True where somebody is known to be turned away although the memory fails; never raises."""
        try:
            return await self.find_bar(subject) is not None
        except StorageError:
            return False

    async def set_block(self, person: str, on: bool) -> bool:
        """Block a person, `<platform>:<id>`, or let them in again; False if it was so."""
        async with self._lock:
            return await self._overrides.set_block(person, on)

    async def set_pause(self, platform: str, on: bool) -> bool:
        """Answer nobody on a platform, or everybody again; False if it was so."""
        async with self._lock:
            return await self._overrides.set_pause(platform, on)

    async def _find_reason(self, subject: Subject, kind: Kind) -> DenialReason | None:
        overrides = await self._overrides.load()
        return None if subject.operator else self._policy.find_reason(subject, kind, overrides)


def deny_access(reason: DenialReason, now: float) -> Denial:
    """Return the denial of somebody whom the lists turn away."""
    return Denial("access", texts.NO_ENTRY[reason], reason, now + DAY)


def deny_limit(limit: Limit, free: float, now: float) -> Denial:
    """Return the denial of somebody who has used up a limit until `free`."""
    sentence = texts.LIMITS[limit].format(when=describe_wait(free - now))
    return Denial("limit", sentence, limit, max(free, now + MINUTE))
