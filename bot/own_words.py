"""What Parley says itself: not journalled, and without controls."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot import notes
from bot.delivery import tell
from bot.door import OPERATORS, Refusal
from bot.errors import ModelFault, PlatformError
from bot.messages import Incoming, Place, State
from bot.ports import Channel, Confidant, Model, Transcript
from bot.record import Answer
from bot.reply import Reply

log = structlog.get_logger(__name__)


def paper(channel: Channel | Transcript) -> Reply | Transcript:
    """What Parley's own words are written on."""
    return channel if isinstance(channel, Transcript) else Reply(channel)


def reply_ourselves(model: Model, place: Place, questions: Sequence[Incoming]) -> str:
    """What is said without asking the model; empty where it is the model's to say."""
    if not any(said.text or said.quote or said.attachments for said in questions):
        return notes.introduction(model.reader)
    if model.trial and place.platform not in OPERATORS:
        return notes.FAULTS[ModelFault.UNSET]
    return ""


async def introduce(channel: Channel | Transcript, reader: str) -> None:
    """Say who this is, in a person's first direct message, before the answer."""
    if not isinstance(channel, Transcript):
        await tell(notes.introduction(reader), Reply(channel))


async def apologise(channel: Channel | Transcript, note: str, fault: str) -> Answer:
    """Tell a person what went wrong; a transcript is told by the answer alone."""
    if not isinstance(channel, Transcript):
        await tell(note, Reply(channel))
    return Answer(state=State.FAILED, note=note, fault=fault)


async def turn_away(channel: Channel | Transcript, refusal: Refusal, place: Place) -> Answer:
    """Tell a person why their question is not taken, unless they know.

    Where others read, it is for the person alone if the platform can; if it cannot, only what others may read is said.
    """
    answer = Answer(state=State.FAILED, note=refusal.sentence, fault=refusal.fault)
    if refusal.told:
        return answer
    alone = place.direct or isinstance(channel, Transcript)
    if not alone and isinstance(channel, Confidant) and await _confide(channel, refusal.sentence):
        return answer
    if alone or refusal.public:
        await apologise(channel, refusal.sentence, refusal.fault)
    return answer


async def _confide(channel: Confidant, sentence: str) -> bool:
    try:
        await channel.confide(sentence)
    except PlatformError as error:
        log.warning("a person could not be told in confidence", fault=error.fault.value, error=str(error))
        return False
    return True
