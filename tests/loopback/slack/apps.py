"""What other apps post in a Slack workspace, for a test to post on their behalf."""

from __future__ import annotations

from typing import Any

from tests.loopback.slack import payloads
from tests.loopback.slack.server import FakeSlack
from tests.loopback.slack.state import Message, Version
from tests.loopback.slack.workspace import CHANNEL


def report(slack: FakeSlack, payload: dict[str, Any], channel: str = CHANNEL, thread: str = "") -> Message:
    """Post a message that says what the payload does, as an event and in the history."""
    where = slack.workspace.conversations[channel]
    extra = {key: value for key, value in payload.items() if key not in ("type", "ts", "user", "text", "channel")}
    version = Version(payload.get("text", ""))
    said = Message(slack.clock.ts(), channel, payload.get("user", ""), [version], thread, extra=extra)
    where.messages[said.ts] = said
    slack.emit(where, payloads.message(said, where, slack.workspace.bot_id))
    return said
