"""The rate limits of all channels: each channel's own, and the one that the whole bot shares."""

from __future__ import annotations

import asyncio
from collections import deque
from weakref import WeakValueDictionary

from bot.pacing.pacer import Pacer
from bot.pacing.rate_window import Kind
from bot.runtime.call_history import CallHistory

CALLS, PERIOD = 5, 5.0
"""Posts and edits of a channel, and seconds, until Discord's headers say otherwise: nothing about it is documented."""
REMEMBERED = 100
"""Channels whose limit is remembered though nobody speaks there now: their last calls may still count."""


class Limits:
    """A pacer for each channel, the same for all who speak there; dropped some time after nobody does.

    `calls` keeps over restarts what they were charged.
    """

    def __init__(self, calls: CallHistory | None = None) -> None:
        self._calls = calls or CallHistory()
        self._pacers: WeakValueDictionary[str, Pacer] = WeakValueDictionary()
        self._recent: deque[Pacer] = deque(maxlen=REMEMBERED)
        self._blocked = 0.0

    def pacer(self, channel: str) -> Pacer:
        """The limit that posts and edits in a channel count under together."""
        pacer = self._pacers.get(channel)
        if pacer is None:
            pacer = Pacer(CALLS, PERIOD, kind=self._kind())
            self._pacers[channel] = self._calls.keep(f"discord:{channel}", pacer)
            if (left := self._blocked - asyncio.get_running_loop().time()) > 0:
                pacer.back_off(left)
        if pacer not in self._recent:
            self._recent.append(pacer)
        return pacer

    def back_off(self, seconds: float) -> None:
        """The limit of the whole bot was hit: nothing may go anywhere for so many seconds."""
        self._blocked = max(self._blocked, asyncio.get_running_loop().time() + seconds)
        for pacer in list(self._pacers.values()):
            pacer.back_off(seconds)

    def _kind(self) -> Kind:
        """The kind that the newest limit turned out to be: all of these are limits of the same routes."""
        kinds = (pacer.window.kind for pacer in reversed(self._recent))
        return next((kind for kind in kinds if kind is not Kind.UNKNOWN), Kind.UNKNOWN)
