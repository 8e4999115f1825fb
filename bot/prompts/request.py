"""One turn's question on its way to the model: gathered, put together, asked, and counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import structlog

from bot import texts
from bot.config.settings import BotSettings, FilesSettings
from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import Incoming, Place
from bot.domain.ports import Channel, Library, Memory, Model, Piece, Prompt, Surroundings, Transcript
from bot.domain.records import Asked, Material, Record
from bot.prompts.compose import Voice, ask, compose, quote, stamp
from bot.prompts.files.attachments import read
from bot.prompts.history_window import Ratios, Span, cut, span, weigh
from bot.prompts.usage_tally import Tally

LONGEST = 4.0
"""UTF-8 bytes to a token, at most, before it was measured: a question that is too long even so is not sent, for some
servers on this machine cut it without a word."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every brief needs."""

    memory: Memory
    settings: BotSettings
    files: FilesSettings
    ratios: Ratios = field(default_factory=Ratios)

    def moment(self, incoming: Incoming) -> str:
        """When a question was asked, as the model is told it."""
        return stamp(incoming.sent, ZoneInfo(self.settings.timezone) if self.settings.timezone else None)

    def voice(self, model: Model, system: str) -> Voice:
        """How a model answers: at most half of what it can hold is its answer."""
        longest = min(self.settings.max_tokens, model.facts.context // 2)
        return Voice(system, longest, self.settings.temperature)

    def span(self, model: Model, voice: Voice) -> Span:
        """The window of a model."""
        return span(self.settings.history, model.facts, voice.max_tokens, self.ratios[model.name])


class Brief:
    """A question that one model is asked in one place. After `pieces` the rest of it is known.

    `question` is as it is remembered; `tally` has what all attempts took, and who answered.
    """

    def __init__(
        self, desk: Desk, model: Model, system: str, turn: int, said: Sequence[Incoming], asked: Asked | None
    ) -> None:
        self._desk = desk
        self._model = model
        self._voice = desk.voice(model, system)
        self._turn = turn
        self._said = said
        self._material = asked.material if asked else Material()
        self._sent = 0
        self.tally = Tally(model, desk.ratios)
        self.question = ask(said, self._material, desk.moment(said[-1]))

    async def pieces(self, channel: Channel | Transcript, first: bool) -> AsyncGenerator[Piece, None]:
        """Gather what belongs to the question, and ask; a prompt that is too long is asked with less of the record.

        Raises ModelError and StorageError. `first` says that nothing was asked in the place before.
        """
        if not (self._material.text or self._material.files):
            await self._gather(channel, first)
        place = self._said[-1].place
        record = await self._review(place)
        shown = list(record.messages)
        while True:
            prompt = compose(self._voice, place, record.summary, shown, self.question)
            try:
                async with aclosing(self._ask(prompt)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ModelError as error:
                spoken = self.tally.heard
                self.tally.fail(error)
                if error.fault is not ModelFault.CONTEXT or spoken or not shown:
                    raise
                log.warning("the prompt was too long; asking with less", messages=len(shown), error=str(error))
                shown = shown[len(shown) // 4 * 2 :] if len(shown) > 2 else []
                await self._desk.memory.trim(place.key, shown[0].number if shown else 2 * self._turn)

    async def _gather(self, channel: Channel | Transcript, first: bool) -> None:
        said = self._said[-1]
        # others' words are no part of a person's own conversation, unless they refer to them
        begins = first and not said.place.person
        around = await channel.around(said, begins) if isinstance(channel, Surroundings) else ()
        files = Material()
        attachments = [file for said in self._said for file in said.attachments]
        if attachments and isinstance(channel, Library):
            files = await read(attachments, channel, self._model.facts, self._desk.files)
        elif attachments:
            files = Material(notes=(texts.NO_FILES,))
        text = "\n\n".join(filter(None, (quote(around), files.text)))
        quoted = {said.by for said in around if said.by} - {said.author.id for said in self._said}
        self._material = Material(text, files.files, files.notes, tuple(sorted(quoted)))
        if text or files.files:
            await self._desk.memory.supply(self._turn, self._material)
            self.question = ask(self._said, self._material, self.question.moment)

    async def _review(self, place: Place) -> Record:
        """What is shown of the record; the window is cut where it has become too long."""
        if not self._desk.settings.history:
            return Record()
        window, ratio = self._desk.span(self._model, self._voice), self._desk.ratios[self._model.name]
        record = await self._desk.memory.review(place.key, window.high + 64, before=self._turn)
        used = len((self._voice.system + record.summary).encode(errors="replace")) + weigh(self.question, ratio)
        waits = self._desk.settings.summaries and not self._model.trial
        cold = record.age >= self._model.facts.cache.seconds
        shown = cut(record.messages, window, used, ratio, waits=waits, cold=cold)
        if len(shown) < len(record.messages):
            await self._desk.memory.trim(place.key, shown[0].number if shown else 2 * self._turn)
        return replace(record, messages=tuple(shown))

    async def _ask(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        ratio = self._desk.ratios[self._model.name]
        if weigh(self.question, ratio) > self._model.facts.context * max(ratio, LONGEST):
            detail = f"A question is longer than what {self._model.name} can hold, as far as that can be told."
            raise ModelError(ModelFault.CONTEXT, detail)
        self._sent = measure(prompt, ratio)
        self.tally.send(self._sent)
        async with aclosing(self._model.stream(prompt)) as pieces:
            async for piece in pieces:
                self.tally.take(piece)
                yield self._end(piece, prompt) if piece.end else piece

    def _end(self, piece: Piece, prompt: Prompt) -> Piece:
        own = self.tally.model == self._model.name
        if piece.usage and own and not any(message.files for message in prompt.messages):
            self._desk.ratios.learn(self._model.name, self._sent, piece.usage.input)
        return replace(piece, aside=" ".join(self._material.notes))


def measure(prompt: Prompt, ratio: float) -> int:
    """What a prompt weighs, in bytes."""
    return len(prompt.system.encode(errors="replace")) + sum(weigh(message, ratio) for message in prompt.messages)
