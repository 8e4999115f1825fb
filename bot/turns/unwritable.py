"""Questions from where the bot cannot write: the person is told in private, the admins where and why."""

from __future__ import annotations

import time

from bot import texts
from bot.access.denials import Denial, DenialNotices
from bot.domain.errors import PlatformFault
from bot.domain.messages import Incoming
from bot.domain.ports import Channel, Permissions, Transcript
from bot.domain.records import Answer
from bot.domain.spending import DenialReason
from bot.replies.system_messages import turn_away
from bot.runtime.alerts import Alerts

DAY = 86_400.0
"""Seconds for which a person is told once, and the admins of one place."""


async def find_obstacle(channel: Channel | Transcript) -> str:
    """Say what keeps the bot from writing in a channel; empty where nothing is known to."""
    return await channel.find_obstacle() if isinstance(channel, Permissions) else ""


async def explain_unwritable(
    question: Incoming, channel: Channel | Transcript, obstacle: str, notices: DenialNotices, alerts: Alerts
) -> Answer:
    """Tell the person who asked, once a day, and the admins, once a day for each place. Returns the failed answer."""
    where = channel.where if isinstance(channel, Permissions) else question.place.key
    alerts.tell(f"forbidden {where}", texts.ALERTS["forbidden"].format(where=where, lacking=obstacle))
    sentence = texts.NO_ENTRY[DenialReason.UNWRITABLE].format(lacking=obstacle)
    refusal = Denial(PlatformFault.FORBIDDEN, sentence, DenialReason.UNWRITABLE, time.time() + DAY)
    return await turn_away(question, channel, refusal, notices)
