"""What is too old to be shown as it is: summarised in the background, when nobody waits for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from bot.domain.errors import ModelError, StorageError
from bot.domain.messages import Message, Place, State
from bot.domain.ports import Model, Prompt
from bot.domain.records import Record, Spent, Summary
from bot.prompts.channel_settings import Customs
from bot.prompts.compose import Voice, condense
from bot.prompts.history_window import Span, due, weigh
from bot.prompts.request import Desk, measure
from bot.prompts.usage_tally import Tally
from bot.runtime.tasks import report

LONGEST = 600
"""Tokens of a summary."""
BACK = 100
"""How many messages before the window are summarised at most, where they are in no summary yet."""
SOON = 0.9
"""The part of the time that a provider's cache keeps a conversation, after which it is summarised while it is there."""
AGAIN = 60.0
"""Seconds after which a summary that failed is tried again, if nothing is asked before; then twice as long …"""
TRIES = 4
"""… and so on, so often in all."""

log = structlog.get_logger(__name__)


class Summaries:
    """Keeps windows short. One summary at a time in a place; nothing waits for it."""

    def __init__(self, desk: Desk, customs: Customs) -> None:
        self._desk = desk
        self._customs = customs
        self._running: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def spoke(self, place: Place, model: Model) -> None:
        """An answer is on record: summarise what will not fit any more, now, and what is cold soon, then."""
        if not (self._desk.settings.summaries and self._desk.settings.history) or model.trial:
            return
        self._start(place, idle=False)
        if model.facts.price:
            self._wait(place, model.facts.cache.seconds * SOON, idle=True)

    def close(self) -> None:
        """Leave everything as it is."""
        for timer in self._timers.values():
            timer.cancel()
        for task in self._running.values():
            task.cancel()

    async def settle(self) -> None:
        """Wait until no summary is being written."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _wait(self, place: Place, seconds: float, *, idle: bool, tries: int = 1) -> None:
        if timer := self._timers.pop(place.key, None):
            timer.cancel()

        def start() -> None:
            self._timers.pop(place.key, None)
            self._start(place, idle=idle, tries=tries)

        self._timers[place.key] = asyncio.get_running_loop().call_later(seconds, start)

    def _start(self, place: Place, *, idle: bool, tries: int = 1) -> None:
        if place.key in self._running:
            return
        task = asyncio.create_task(self._try(place, idle, tries), name=f"summary of {place.key}")
        self._running[place.key] = task
        task.add_done_callback(lambda _: self._running.pop(place.key, None))
        task.add_done_callback(report)

    async def _try(self, place: Place, idle: bool, tries: int) -> None:
        try:
            await self._shorten(place, idle)
        except (ModelError, StorageError) as error:
            log.warning("a summary could not be made", place=place.key, tries=tries, error=str(error))
            if tries < TRIES:
                self._wait(place, AGAIN * 2 ** (tries - 1), idle=idle, tries=tries + 1)

    async def _shorten(self, place: Place, idle: bool) -> None:
        """Summarise what fell out of the window, then what is about to."""
        model, system = await self._customs.of(place)
        voice = self._desk.voice(model, system)
        span = self._desk.span(model, voice)
        ratio = self._desk.ratios[model.name]
        while True:
            record = await self._desk.memory.review(place.key, span.high + 64)
            if not record.messages:
                return
            lost = await self._lost(place, record, span, ratio) if record.gap else []
            if lost:
                start = record.messages[0].number
            elif index := due(record.messages, span, ratio, idle=idle):
                lost = list(record.messages)
                start = lost[index].number if index < len(lost) else lost[-1].number + 1
            else:
                return
            written = await self._write(place, model, voice, record, lost, start)
            if not written or not record.gap:
                return

    async def _lost(self, place: Place, record: Record, span: Span, ratio: float) -> list[Message]:
        """The messages before the window that are in no summary, as many as one prompt holds."""
        before = await self._desk.memory.recall(place.key, BACK, before=record.messages[0].number // 2)
        lost = [message for message in before if message.number > record.until]
        while len(lost) > 2 and sum(weigh(message, ratio) for message in lost) > span.room * 3 // 4:
            del lost[-2:]
        return lost

    async def _charge(self, turn: int, spent: Iterable[Spent]) -> None:
        for one in spent:
            await self._desk.memory.charge(turn, one)

    async def _write(
        self, place: Place, model: Model, voice: Voice, record: Record, said: Sequence[Message], start: int
    ) -> bool:
        """Have a summary written, and write it down; False if the record changed meanwhile."""
        said = fit(said, self._desk.span(model, voice).room - len(record.summary.encode()))
        prompt = condense(voice, place, record.summary, said, min(LONGEST, voice.max_tokens))
        turn = said[-1].number // 2
        tally = Tally(model, self._desk.ratios)
        tally.send(measure(prompt, self._desk.ratios[model.name]))
        try:
            text, end = await _read(model, prompt, tally)
        except ModelError as error:
            tally.fail(error)
            await self._charge(turn, (*tally.others, Spent(tally.model, tally.usage)))
            raise
        await self._charge(turn, tally.others)
        if end is State.REFUSED or not text.strip():
            log.warning("the model wrote no summary", place=place.key)
            await self._charge(turn, [Spent(tally.model, tally.usage)])
            return False
        since = record.since or said[0].number
        summary = Summary(text.strip(), since, said[-1].number, start, record.revision, tally.model, tally.usage)
        kept = await self._desk.memory.condense(place.key, summary)
        log.info("summarised" if kept else "a summary was void before it was written", place=place.key, of=len(said))
        return kept


async def _read(model: Model, prompt: Prompt, tally: Tally) -> tuple[str, State | None]:
    """What the model writes, and how it ends; the tally counts along. Raises ModelError."""
    text, end = "", None
    async with aclosing(model.stream(prompt)) as pieces:
        async for piece in pieces:
            tally.take(piece)
            text = piece.text if piece.anew or piece.withdrawn else text + piece.text
            end = piece.end or end
    return text, end


def fit(said: Sequence[Message], room: int) -> Sequence[Message]:
    """Messages that fit into so many bytes: if they do not, long ones lose their middle."""
    if sum(len(message.content.encode(errors="replace")) for message in said) <= room:
        return said
    half = max(50, room // len(said) // 4 // 2)  # characters, of four bytes at most
    return [
        replace(message, content=f"{message.content[:half]} … {message.content[-half:]}", files=())
        if len(message.content) > 2 * half
        else message
        for message in said
    ]
