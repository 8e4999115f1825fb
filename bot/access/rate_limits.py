"""Limits on the number of questions: of a person in a minute and a day, and of bots in a row."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from bot.access.limits import MINUTE, find_limit
from bot.access.policy import Kind, Subject
from bot.config.settings import LimitsSettings
from bot.domain.messages import Place
from bot.domain.ports import Memory
from bot.domain.spending import Limit

MAX_COUNTED = 5000
"""People whose questions of today are kept at hand, and places where bots were answered."""


class RateLimits:
    """Counts questions. Raises StorageError.

    The questions of a person are read from the memory once and then counted here, so that a flood costs nothing.
    `bot_turns` is how many answers bots get in a row in one channel.
    """

    def __init__(self, memory: Memory, limits: LimitsSettings, bot_turns: int) -> None:
        self._memory = memory
        self._limits = limits
        self._bot_turns = bot_turns
        self._questions: OrderedDict[str, OrderedDict[str, float]] = OrderedDict()  # by person, the time by message
        self._bot_answers: OrderedDict[str, int] = OrderedDict()  # by channel

    async def load_questions(self, subject: Subject, midnight: float, now: float) -> OrderedDict[str, float]:
        """Return when a person asked in this minute and day, by message; to it `count` adds.

        What seems to come is of before the clock was set back, and is left out.
        """
        if subject.operator:
            return OrderedDict()
        start, person = min(midnight, now - MINUTE), subject.person
        if person not in self._questions:
            times = await self._memory.visits(subject.place.platform, subject.author.id, start)
            self._questions[person] = OrderedDict(times)
            _drop_oldest(self._questions)
        self._questions.move_to_end(person)
        questions = self._questions[person]
        for message in [message for message, at in questions.items() if not start <= at <= now]:
            del questions[message]
        return questions

    def find_reached(
        self, subject: Subject, kind: Kind, questions: OrderedDict[str, float], midnight: float, now: float
    ) -> tuple[Limit, float] | None:
        """Return the limit that is reached, and when one more may be asked; None where one may now.

        A message that was found late is not of this minute, and the limit of the day leaves a person their own words.
        """
        if subject.operator or subject.admin:
            return None
        late = subject.late and kind is not Kind.RETRY
        free = {"turns_per_day": 0} if kind is Kind.OWN_WORDS else {"turns_per_minute": 0} if late else {}
        return find_limit(sorted(questions.values()), now, midnight, self._limits.model_copy(update=free))

    def has_looped(self, place: Place) -> bool:
        """Return True where bots had all their answers; only an answer to a person starts the count afresh."""
        return self._bot_answers.get(place.channel, 0) >= self._bot_turns

    def count(
        self, subject: Subject, kind: Kind, questions: OrderedDict[str, float], midnight: float, now: float
    ) -> None:
        """Count a question that is let in; one that is answered anew counts as a further one, of now."""
        if kind is Kind.RETRY:
            questions[f"{subject.message}#{time.monotonic_ns()}"] = now
        else:
            questions[subject.message] = max(midnight, now - MINUTE) if subject.late else now
        channel = subject.place.channel
        answers = self._bot_answers.pop(channel, 0) + 1
        if subject.bot:
            self._bot_answers[channel] = answers
            _drop_oldest(self._bot_answers)


def _drop_oldest(kept: OrderedDict[str, Any]) -> None:
    if len(kept) > MAX_COUNTED:
        kept.popitem(last=False)
