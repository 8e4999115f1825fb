"""Asked before a question is written down: may this person ask, and is there anything left to spend?"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog

from bot import texts
from bot.access.denials import Notices, Refusal
from bot.access.limits import LEVELS, MINUTE, NONE, reached, share, tomorrow, until, wait
from bot.access.policy import Access, Switches
from bot.config.settings import AccessSettings, LimitsSettings
from bot.domain.commands import PRIVATE
from bot.domain.errors import StorageError
from bot.domain.messages import Caller, Incoming, Place
from bot.domain.ports import Memory
from bot.domain.spending import DenialReason, Limit, start_of_days
from bot.runtime.alerts import Alerts

OPERATORS = ("web", "terminal")
"""Where a person is the operator, or has limits of that adapter's own: only the limit of the bot counts there."""
SWITCHES = "parley:access"
"""Where the memory keeps what admins said: a place nobody speaks in."""
DAY = 86_400.0
KNOWN = 5000
"""People whose questions of today are kept at hand, and places where bots were answered."""
log = structlog.get_logger(__name__)


class Door:
    """Lets questions in or turns them away. `clock` gives the time in seconds since 1970.

    The questions of a person are read from the memory once and then counted here, so that a flood costs nothing; a
    limit of a day that is reached stays so until the day ends.
    """

    def __init__(
        self,
        memory: Memory,
        alerts: Alerts,
        access: AccessSettings | None = None,
        limits: LimitsSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = access or AccessSettings()
        self.notices = Notices(memory, self.settings.notice, clock)
        self._memory = memory
        self._alerts = alerts
        self._access = Access(self.settings)
        self._limits = limits or NONE
        self._clock = clock
        self._switches: Switches | None = None
        self._asked: OrderedDict[str, OrderedDict[str, float]] = OrderedDict()  # by person, each question's time
        self._full: dict[str, float] = {}  # what has spent its day, and when that began
        self._bots: OrderedDict[str, int] = OrderedDict()  # by place, answers to bots in a row
        self._one = asyncio.Lock()

    async def refuse(self, said: Incoming) -> Refusal | None:
        """Why this question is turned away; None where it is let in, and is then counted. Raises StorageError."""
        async with self._one:
            return await self._look(said)

    async def still(self, said: Incoming) -> Refusal | None:
        """Why a question that was let in is not asked any more, when its turn has come. Raises StorageError."""
        async with self._one:
            now = self._clock()
            refusal = await self._judge(said)
            if refusal is None and (spent := await self._spent(said, start_of_days(1, now))):
                refusal = self._limit(spent, tomorrow(start_of_days(1, now)), now)
            return refusal

    async def _look(self, said: Incoming) -> Refusal | None:
        """Let a question in and count it, or not."""
        own = said.command in PRIVATE  # whoever is barred from asking still has a right to these
        if not own and (barred := await self._judge(said)):
            return barred
        now, operator = self._clock(), said.place.platform in OPERATORS
        midnight = start_of_days(1, now)
        asked = OrderedDict[str, float]() if operator else await self._questions(said, min(midnight, now - MINUTE), now)
        if _key(said) in asked:  # a second delivery: the journal knows it
            return None
        if said.bot and self._looping(said.place):
            return Refusal("access", "", DenialReason.BOT, now + DAY)
        free = {"turns_per_day": 0} if own else {"turns_per_minute": 0} if said.late else {}
        counted = not operator and not said.admin
        if counted and (found := wait(sorted(asked.values()), now, midnight, self._limits.model_copy(update=free))):
            return self._limit(*found, now)
        if not said.command and (spent := await self._spent(said, midnight)):
            return self._limit(spent, tomorrow(midnight), now)
        # what is found late was not asked in this minute
        asked[_key(said)] = max(midnight, now - MINUTE) if said.late else now
        self._enter(said)
        return None

    async def _judge(self, said: Incoming) -> Refusal | None:
        """What the lists say."""
        switches = await self._read()
        reason = None if said.place.platform in OPERATORS else self._access.judge(said, switches)
        return Refusal("access", texts.NO_ENTRY[reason], reason, self._clock() + DAY) if reason else None

    def _limit(self, limit: Limit, free: float, now: float) -> Refusal:
        sentence = texts.LIMITS[limit].format(when=until(free - now))
        return Refusal("limit", sentence, limit, max(free, now + MINUTE))

    async def bar(self, said: Incoming) -> DenialReason | None:
        """Why somebody may neither ask nor command; None for everybody else. Raises StorageError.

        The lists hold for commands as for questions, a pause does not.
        """
        async with self._one:
            switches = replace(await self._read(), paused=frozenset())
        return None if said.place.platform in OPERATORS else self._access.judge(said, switches)

    async def shuts(self, said: Incoming) -> bool:
        """Whether the lists turn somebody away, as far as that is known while the memory fails."""
        try:
            return await self.bar(said) is not None
        except StorageError:
            return False

    async def block(self, person: str, on: bool) -> bool:
        """Block a person, `<platform>:<id>`, or let them in again; False if it was so. Raises StorageError."""
        async with self._one:
            old = await self._read()
            return await self._write(replace(old, blocked=old.blocked | {person} if on else old.blocked - {person}))

    async def pause(self, platform: str, on: bool) -> bool:
        """Answer nobody on a platform, or everybody again; False if it was so. Raises StorageError."""
        async with self._one:
            old = await self._read()
            return await self._write(replace(old, paused=old.paused | {platform} if on else old.paused - {platform}))

    async def _read(self) -> Switches:
        """What admins said; read once, for only this writes it."""
        if self._switches is None:
            self._switches = Switches.read(await self._memory.metadata(SWITCHES))
        return self._switches

    async def _write(self, switches: Switches) -> bool:
        if switches == self._switches:
            return False
        for key, value in switches.write().items():
            await self._memory.annotate(SWITCHES, key, value or None)
        self._switches = switches
        return True

    def _looping(self, place: Place) -> bool:
        """Whether bots had all their answers in this channel; only an answer to a person starts the count afresh."""
        return self._bots.get(place.channel, 0) >= self.settings.bot_turns

    def _enter(self, said: Incoming) -> None:
        here = said.place.channel
        count = self._bots.pop(here, 0) + 1 if said.bot else 0
        if count:
            self._bots[here] = count
            _forget(self._bots)
        else:
            self._bots.pop(here, None)

    async def _questions(self, said: Incoming, start: float, now: float) -> OrderedDict[str, float]:
        """When a person asked, from `start` on, by message; what seems to come is of before the clock was set back."""
        who = _who(said)
        if who not in self._asked:
            self._asked[who] = OrderedDict(await self._memory.visits(said.place.platform, said.author.id, start))
            _forget(self._asked)
        self._asked.move_to_end(who)
        asked = self._asked[who]
        for message in [one for one, at in asked.items() if not start <= at <= now]:
            del asked[message]
        return asked

    async def _spent(self, said: Incoming, midnight: float) -> Limit | None:
        """What has spent its day: the person, the conversation, the bot."""
        counted = said.place.platform not in OPERATORS and not said.admin
        limits, who, where = self._limits, _who(said), said.place.key
        if counted and await self._over(midnight, limits.person_tokens, limits.person_dollars, author=who):
            return Limit.PERSON
        if counted and await self._over(midnight, limits.place_tokens, limits.place_dollars, place=where):
            return Limit.PLACE
        return Limit.BOT if await self._all(midnight) and not said.admin else None

    async def _over(self, midnight: float, tokens: int, dollars: float, author: str = "", place: str = "") -> bool:
        """Whether a person or a place has spent what they may in this day."""
        if not (tokens or dollars):
            return False
        name = f"{author} {place}"
        if self._full.get(name) != midnight and reached(
            await self._memory.toll(midnight, author, place), tokens, dollars
        ):
            self._fill(name, midnight)
        return self._full.get(name) == midnight

    async def _all(self, midnight: float) -> bool:
        """Whether the bot has spent what it may in this day; the admins are told before it has, and then."""
        limits = self._limits
        if self._full.get("") == midnight or not (limits.dollars or limits.tokens):
            return self._full.get("") == midnight
        toll = await self._memory.toll(midnight)
        part, day = share(toll, limits.dollars, limits.tokens), datetime.fromtimestamp(midnight, UTC).astimezone()
        for level in (level for level in LEVELS if part >= level):
            spent = texts.SPENT[level].format(dollars=toll.dollars, tokens=toll.unpriced)
            self._alerts.tell(f"limit {level:.0%} {day:%a}", spent)  # by its day: the kind comes back in a week
        if part >= 1.0:
            self._fill("", midnight)
        return part >= 1.0

    def _fill(self, name: str, midnight: float) -> None:
        """It has spent its day: nothing is read again until the next."""
        self._full = {key: day for key, day in self._full.items() if day == midnight} | {name: midnight}


def once_more(said: Incoming) -> Incoming:
    """A question whose answer shall be written anew, so that it counts as a further one, of now."""
    return replace(said, message_id=f"{said.message_id}#{time.monotonic_ns()}", command="", late=False)


def knock(place: Place, caller: Caller) -> Incoming:
    """Somebody who gives a command, as one who asks."""
    return Incoming(place, caller.author, "", "", "", marks=caller.marks, admin=caller.admin)


def _who(said: Incoming) -> str:
    return f"{said.place.platform}:{said.author.id}"


def _key(said: Incoming) -> str:
    return f"{said.channel_id}:{said.message_id}"


def _forget(kept: OrderedDict[str, Any]) -> None:
    """Let go of the oldest."""
    if len(kept) > KNOWN:
        kept.popitem(last=False)
