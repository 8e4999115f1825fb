"""How long a question waits for its answer: one deadline, handed down with the prompt to whoever is asked."""

from __future__ import annotations

import asyncio

PATIENCE = 18.0
"""Seconds without a sign of life after which a question has failed, so that this is told within 20."""
WORTHWHILE = 1.0
"""Seconds that have to be left for one more try after a pause."""


class Deadline:
    """The moment by which a question has failed; each model that can be asked has an equal share of the time left.

    A sign of life gives the question all its time again, and what a model was granted beyond its share is added to it,
    so that the models after it keep theirs. Moments and seconds are those of the running loop's clock.
    """

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._clock = asyncio.get_running_loop().time
        self._seconds = seconds
        self._end = self._share = self._clock() + seconds
        self._others = 0

    @property
    def last(self) -> bool:
        """Whether no other model can answer in the place of the one that is asked now."""
        return not self._others

    def divide(self, others: int) -> None:
        """Begin the share of a model after which so many others can be asked."""
        now = self._clock()
        self._end += max(0.0, now - self._share)
        self._others = others
        self._share = now + (self._end - now) / (others + 1)

    def extend(self) -> None:
        """Take in a sign of life."""
        now = self._clock()
        self._end = now + self._seconds
        self._share = now + self._seconds / (self._others + 1)

    def postpone(self, seconds: float) -> None:
        """Take in that the question waited so long for something that is no model's fault."""
        self._end += seconds
        self._share += seconds

    def allows(self, pause: float) -> bool:
        """Whether the model that is asked now may be asked again after such a pause."""
        return self._clock() + pause + WORTHWHILE < self._share

    def limit(self, patience: float) -> float:
        """The moment by which a model with so much patience has to have shown life.

        It ends with the model's share, but where its patience is longer than that of any question: such a model is
        known to need it.
        """
        moment = self._clock() + patience
        return moment if patience > self._seconds else min(moment, self._share)
