"""The payloads that Slack sends, in the shapes that it sends them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.loopback.slack.state import Conversation, Message

APP, TEAM = "A0PARLEY", "T0LOOP"


def envelope(event: dict[str, Any], bot_user: str) -> dict[str, Any]:
    """An event in its envelope."""
    return {
        "token": "verification",
        "team_id": TEAM,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": event.get("user_team", TEAM) != TEAM,
        "event_context": secrets.token_hex(8),
    }


def message(said: Message, where: Conversation, bot_id: str, **extra: Any) -> dict[str, Any]:
    """A `message` event."""
    event = {**describe(said, bot_id), "channel": said.channel, "event_ts": said.ts, "channel_type": where.kind}
    if said.thread in where.messages:
        event["parent_user_id"] = where.messages[said.thread].user
    return {**event, **extra}


def describe(said: Message, bot_id: str) -> dict[str, Any]:
    """A message as it stands in events and in the history of a conversation."""
    described: dict[str, Any] = {
        "type": "message",
        "user": said.user,
        "ts": said.ts,
        "team": TEAM,
        "text": said.versions[-1].text,
    }
    if said.versions[-1].blocks:
        described["blocks"] = list(said.versions[-1].blocks)
    if said.thread:
        described["thread_ts"] = said.thread
    if said.bot:
        described |= {"bot_id": bot_id, "app_id": APP}
    if said.files:
        described |= {"subtype": "file_share", "files": said.files, "upload": False}
    if not said.user:
        del described["user"]
    described |= said.extra
    return described


def forward(shared: Sequence[Message], people: Mapping[str, str]) -> dict[str, Any]:
    """What a message says of those that it forwards; nothing where there are none."""
    return {"attachments": [_share(said, people[said.user]) for said in shared]} if shared else {}


def _share(said: Message, name: str) -> dict[str, Any]:
    return {
        "id": 1,
        "is_share": True,
        "is_msg_unfurl": True,
        "author_id": said.user,
        "author_name": name,
        "channel_id": said.channel,
        "ts": said.ts,
        "text": said.versions[-1].text,
        "fallback": f"{name}: {said.versions[-1].text}",
        "footer": "Slack Conversation",
        "mrkdwn_in": ["text"],
    }


def mention(said: Message, user_team: str = "") -> dict[str, Any]:
    """The `app_mention` event beside it, which does not say what kind of channel it is from."""
    event: dict[str, Any] = {
        "type": "app_mention",
        "user": said.user,
        "ts": said.ts,
        "client_msg_id": secrets.token_hex(16),
        "text": said.versions[-1].text,
        "team": TEAM,
        "channel": said.channel,
        "event_ts": said.ts,
    }
    if user_team:
        event["user_team"] = user_team
    if said.files:
        event["files"] = said.files
    event |= said.extra
    return {**event, "thread_ts": said.thread} if said.thread else event


def edited(said: Message, where: Conversation, bot_id: str, at: str) -> dict[str, Any]:
    """The `message_changed` event that follows an edit, the bot's own ones too."""
    message = {**describe(said, bot_id), "edited": {"user": said.user, "ts": at}}
    return changed(where, message, {**message, "text": said.versions[-2].text}, at)


def unfurled(said: Message, where: Conversation, bot_id: str, at: str) -> dict[str, Any]:
    """The `message_changed` event that follows when a link in a message gets its preview."""
    message = describe(said, bot_id)
    return changed(where, {**message, "attachments": [{"id": 1, "title": "A page"}]}, message, at)


def changed(where: Conversation, message: dict[str, Any], before: dict[str, Any], at: str) -> dict[str, Any]:
    """A `message_changed` event."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": where.id,
        "channel_type": where.kind,
        "message": message,
        "previous_message": before,
        "ts": at,
        "event_ts": at,
    }


def deleted(said: Message, where: Conversation, bot_id: str, at: str) -> dict[str, Any]:
    """What follows a deletion: `message_deleted`, or a change into a tombstone where a thread hangs under it."""
    if not said.thread and any(other.thread == said.ts for other in where.messages.values()):
        text = "This message was deleted."
        tomb = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "hidden": True, "text": text}
        return changed(where, {**tomb, "ts": said.ts, "thread_ts": said.ts}, describe(said, bot_id), at)
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": said.channel,
        "channel_type": where.kind,
        "deleted_ts": said.ts,
        "previous_message": describe(said, bot_id),
        "ts": at,
        "event_ts": at,
    }


def slash(command: str, text: str, where: Conversation, user: str, name: str, url: str) -> dict[str, Any]:
    """A slash command; it never says a thread."""
    return {
        "token": "verification",
        "team_id": TEAM,
        "team_domain": "loopback",
        "channel_id": where.id,
        "channel_name": "directmessage" if where.kind == "im" else where.name,
        "user_id": user,
        "user_name": name,
        "command": command,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": url,
        "trigger_id": secrets.token_hex(8),
    }


def shortcut(callback: str, said: Message, user: str, name: str, url: str, bot_id: str) -> dict[str, Any]:
    """A message shortcut."""
    return {
        "type": "message_action",
        "token": "verification",
        "callback_id": callback,
        "team": {"id": TEAM, "domain": "loopback"},
        "channel": {"id": said.channel, "name": "general"},
        "user": {"id": user, "username": name, "team_id": TEAM, "name": name},
        "message": describe(said, bot_id),
        "message_ts": said.ts,
        "action_ts": said.ts,
        "is_enterprise_install": False,
        "enterprise": None,
        "response_url": url,
        "trigger_id": secrets.token_hex(8),
    }


def click(
    action_id: str, blocks: Sequence[dict[str, Any]], channel: str, user: str, name: str, url: str, said: Message | None
) -> dict[str, Any]:
    """A click on a button of a message, or of an ephemeral one where there is none; the button must be there."""
    buttons = [block["accessory"] for block in blocks if "accessory" in block]
    buttons += [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    button = next(button for button in buttons if button["action_id"] == action_id)
    container = {"type": "message", "channel_id": channel, "is_ephemeral": said is None}
    if said:
        container |= {"message_ts": said.ts} | ({"thread_ts": said.thread} if said.thread else {})
    return {
        "type": "block_actions",
        "token": "verification",
        "api_app_id": APP,
        "team": {"id": TEAM, "domain": "loopback"},
        "user": {"id": user, "username": name, "name": name, "team_id": TEAM},
        "container": container,
        "channel": {"id": channel, "name": "general"},
        "enterprise": None,
        "is_enterprise_install": False,
        "actions": [{**button, "block_id": "b", "action_ts": "1.1"}],
        "response_url": url,
        "trigger_id": secrets.token_hex(8),
    }
