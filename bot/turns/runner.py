"""Running one turn, from its question to the answer that is shown and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace

import structlog

from bot import texts
from bot.access.admission import Admission
from bot.access.policy import Kind, Subject
from bot.domain.errors import StorageError
from bot.domain.messages import Message, State
from bot.domain.records import Answer
from bot.prompts.channel_settings import Customs
from bot.prompts.request import Brief, Desk
from bot.prompts.summarizer import Summaries
from bot.prompts.usage_tally import Tally
from bot.replies.reply import Reply
from bot.replies.streaming import deliver, enclose, prepare
from bot.replies.system_messages import apologise, break_off, introduce, is_unseen, reply_ourselves, say, turn_away
from bot.runtime.alerts import Alerts
from bot.runtime.logging import TEXTS
from bot.runtime.metrics import Metrics
from bot.turns.outcome import record_outcome
from bot.turns.queue import PendingTurn
from bot.turns.unwritable import explain_unwritable, find_obstacle

log = structlog.get_logger(__name__)
conversation_log = structlog.get_logger(TEXTS)


class TurnRunner:
    """Answers the turns whose place is free. Whatever goes wrong, the person is told and the turn is ended."""

    def __init__(
        self, desk: Desk, customs: Customs, door: Admission, summaries: Summaries, metrics: Metrics, alerts: Alerts
    ) -> None:
        self._desk = desk
        self._memory = desk.memory
        self._settings = desk.settings
        self._customs = customs
        self._admission = door
        self._summaries = summaries
        self._metrics = metrics
        self._alerts = alerts

    async def run_turns(self, group: Sequence[PendingTurn]) -> Answer:
        """Answer turns that are one question; the last of them is the one that is replied to. Never raises."""
        return await self.run_guarded(group[-1], self._answer(group))

    async def run_guarded(self, waiting: PendingTurn, answering: Awaitable[Answer]) -> Answer:
        """Await an answer, and tell the person whatever goes wrong."""
        with structlog.contextvars.bound_contextvars(place=waiting.incoming.place.key, turn=waiting.turn):
            try:
                return await answering
            except StorageError as error:
                log.error("the memory failed", error=str(error))
                self._alerts.tell("storage", texts.ALERTS["storage"])
                return await break_off(waiting.channel, waiting.reply, texts.STORAGE, "storage")
            except Exception:
                log.exception("a turn broke")
                return await self._give_up(waiting)

    async def _give_up(self, waiting: PendingTurn) -> Answer:
        """End a turn that our own fault broke: what was shown of it is closed, and no start tries it again."""
        answer = Answer(state=State.FAILED, note=texts.BROKEN, fault="bug")
        telling = break_off(waiting.channel, waiting.reply, texts.BROKEN, "bug")
        # the channel or the memory may be what broke: the place must not stand still for that
        (told,) = await asyncio.gather(telling, return_exceptions=True)
        answer = _bill(told if isinstance(told, Answer) else answer, waiting.tally)
        record_outcome(waiting.incoming.place.platform, answer, self._metrics, self._alerts)
        if waiting.turn:
            await asyncio.gather(self._memory.finish(waiting.turn, answer, None), return_exceptions=True)
        return answer

    async def _answer(self, group: Sequence[PendingTurn]) -> Answer:
        """Recall, compose, deliver, remember."""
        *others, main = group
        said, here = main.incoming, main.incoming.place
        asked = await self._memory.turn(main.turn) if main.redo else None
        if main.halt.state or (main.redo and not asked):
            return await self.close_turn(main, Answer(state=main.halt.state or State.STOPPED))
        await self._memory.begin(main.turn, [waiting.turn for waiting in others])
        if not (asked and asked.posts) and (
            denial := await self._admission.recheck(Subject.from_message(said), Kind.of(said))
        ):
            return await self.close_turn(main, await turn_away(said, main.channel, denial, self._admission.notices))
        if not (asked and asked.posts) and (obstacle := await find_obstacle(main.channel)):
            answer = await self._explain(main, obstacle)
            record_outcome(here.platform, answer, self._metrics, self._alerts)
            return await self.close_turn(main, answer)
        model, system = await self._customs.of(here)
        first = any(waiting.first for waiting in group)
        if here.direct and said.text and first:
            await introduce(main.channel, model.reader)
        questions = asked.questions if asked else [waiting.incoming for waiting in group]
        if own := reply_ourselves(model, here, questions):
            return await self.close_turn(main, await say(own, main.channel))
        brief = Brief(self._desk, model, system, main.turn, questions, asked)
        main.tally = brief.tally
        screen = await prepare(main.channel, main.turn, asked, self._memory, self._settings.final_patience)
        main.reply = screen if isinstance(screen, Reply) else None
        answer = await deliver(brief.pieces(main.channel, first), screen, main.halt, self._settings.show_thinking)
        answer = _bill(answer, brief.tally)
        conversation_log.debug("said", question=[said.text for said in questions], answer=answer.text)
        record_outcome(here.platform, answer, self._metrics, self._alerts)
        if is_unseen(answer):
            known = await find_obstacle(main.channel)
            await self._explain(main, known or texts.REFUSED_POST.format(code=main.reply and main.reply.refused))
        await enclose(main.channel, answer, self._settings.file_after)
        try:
            closed = await self.close_turn(main, answer, brief.question if answer.text else None)
            self._summaries.spoke(here, model)
            return closed
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            self._alerts.tell("storage", texts.ALERTS["storage"])
            await apologise(main.channel, texts.UNREMEMBERED, "storage")
            return replace(answer, fault="storage")

    async def _explain(self, waiting: PendingTurn, obstacle: str) -> Answer:
        """Say where it can be heard that nothing can be written here."""
        return await explain_unwritable(
            waiting.incoming, waiting.channel, obstacle, self._admission.notices, self._alerts
        )

    async def close_turn(self, waiting: PendingTurn, answer: Answer, question: Message | None = None) -> Answer:
        """Write down that a turn is over, with what the model was asked where it is remembered. Raises StorageError."""
        await self._memory.finish(waiting.turn, answer, question)
        return answer


def _bill(answer: Answer, tally: Tally | None) -> Answer:
    """Return the answer with what was spent on it."""
    return replace(answer, model=tally.model, usage=tally.usage, others=tally.others) if tally else answer
