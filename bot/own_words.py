"""What Parley says itself: not journalled, and without controls."""

from __future__ import annotations

from bot import notes
from bot.delivery import tell
from bot.messages import State
from bot.ports import Channel, Transcript
from bot.record import Answer
from bot.reply import Reply


def paper(channel: Channel | Transcript) -> Reply | Transcript:
    """What Parley's own words are written on."""
    return channel if isinstance(channel, Transcript) else Reply(channel)


async def introduce(channel: Channel | Transcript, reader: str) -> None:
    """Say who this is, in a person's first direct message, before the answer."""
    if not isinstance(channel, Transcript):
        await tell(notes.introduction(reader), Reply(channel))


async def apologise(channel: Channel | Transcript, note: str, fault: str) -> Answer:
    """Tell a person what went wrong; a transcript is told by the answer alone."""
    if not isinstance(channel, Transcript):
        await tell(note, Reply(channel))
    return Answer(state=State.FAILED, note=note, fault=fault)
