"""What Parley says itself: not journalled, and without controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot import texts
from bot.access.denials import Denial, DenialNotices
from bot.access.policy import OPERATORS
from bot.domain.errors import ModelFault, PlatformError, PlatformFault, StorageError
from bot.domain.messages import Incoming, Place, State
from bot.domain.ports import Channel, Confidant, Model, Transcript
from bot.domain.records import Answer
from bot.replies.reply import Reply
from bot.replies.streaming import tell

log = structlog.get_logger(__name__)


def paper(channel: Channel | Transcript) -> Reply | Transcript:
    """What Parley's own words are written on."""
    return channel if isinstance(channel, Transcript) else Reply(channel)


def reply_ourselves(model: Model, place: Place, questions: Sequence[Incoming]) -> str:
    """What is said without asking the model; empty where it is the model's to say."""
    if not any(said.text or said.quote or said.attachments for said in questions):
        return texts.introduction(model.reader)
    if model.trial and place.platform not in OPERATORS:
        return texts.FAULTS[ModelFault.UNSET]
    return ""


async def introduce(channel: Channel | Transcript, reader: str) -> None:
    """Say who this is, in a person's first direct message, before the answer."""
    if not isinstance(channel, Transcript):
        await tell(texts.introduction(reader), Reply(channel))


async def say(text: str, channel: Channel | Transcript) -> Answer:
    """Say something where it was asked for, or to the person alone where the platform takes no message there.

    Never raises for what a platform does.
    """
    answer = await tell(text, paper(channel))
    if is_unseen(answer) and isinstance(channel, Confidant):
        try:
            await channel.confide(text)
        except PlatformError as error:
            log.warning("a person could not be told in confidence", fault=error.fault.value, error=str(error))
    return answer


def is_unseen(answer: Answer) -> bool:
    """Tell whether the platform refused an answer and every sentence that says so."""
    refused = (PlatformFault.FORBIDDEN, PlatformFault.MODERATED, PlatformFault.REJECTED)
    return answer.fault in refused and not answer.note


async def apologise(channel: Channel | Transcript, note: str, fault: str) -> Answer:
    """Tell a person what went wrong; a transcript is told by the answer alone."""
    if not isinstance(channel, Transcript):
        await say(note, channel)
    return Answer(state=State.FAILED, note=note, fault=fault)


async def break_off(channel: Channel | Transcript, reply: Reply | None, note: str, fault: str) -> Answer:
    """End an answer that the program itself broke off, over what was shown of it, or tell the person beside it."""
    if reply is None or not reply.posts:
        return await apologise(channel, note, fault)
    answer = await tell(reply.shown, reply.follow(), State.FAILED, note)
    return replace(answer, fault=fault)


async def turn_away(said: Incoming, channel: Channel | Transcript, refusal: Denial, notices: DenialNotices) -> Answer:
    """Tell a person why their question is not taken, if they are to hear it."""
    try:
        if not isinstance(channel, Transcript) and await notices.should_send(
            said, refusal
        ):  # its reader sees the answer
            if await _tell(channel, refusal, said.place.direct):
                await notices.mark_sent()
            else:
                notices.unmark(said, refusal)
    except StorageError as error:  # not their business
        log.error("the memory failed", error=str(error))
    return Answer(state=State.FAILED, note=refusal.sentence, fault=refusal.fault)


async def _tell(channel: Channel | Transcript, refusal: Denial, direct: bool) -> bool:
    """Where others read, for the person alone if the platform can; if it cannot, only what others may read.

    False where that has to wait for another time.
    """
    fault: PlatformFault | None = None
    if not direct and isinstance(channel, Confidant):
        try:
            await channel.confide(refusal.sentence)
            return True
        except PlatformError as error:
            fault = error.fault
            log.warning("a person could not be told in confidence", fault=fault.value, error=str(error))
    if direct or refusal.public:
        await apologise(channel, refusal.sentence, refusal.fault)
        return True
    return fault not in (PlatformFault.RATE, PlatformFault.NETWORK)
