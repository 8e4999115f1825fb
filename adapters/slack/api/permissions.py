"""Whether the bot may write in a channel: asked of Slack where nothing has shown it lately."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.api.calls import call
from bot.domain.errors import PlatformError

METHOD = "conversations.info"
HOUR = 3600.0
"""Seconds for which a channel that took a post, or that Slack said is open, is not asked about again."""
MOST = 1000
"""Channels that are remembered."""
TIMEOUT = 2.0
"""Seconds that a question waits for Slack's word; without it the bot tries to answer."""
OUTSIDE = ("channel_not_found", "not_in_channel")

log = structlog.get_logger(__name__)


class Permissions:
    """Looks a channel up; a direct message always takes a post."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._open: OrderedDict[str, float] = OrderedDict()  # when a channel was last known to take posts
        self._names: OrderedDict[str, str] = OrderedDict()
        self._allowed = True  # whether the token may ask

    def name(self, channel: str) -> str:
        """Return a channel's name, for people; its id where Slack was not asked."""
        return f"#{self._names[channel]}" if channel in self._names else channel

    def confirm(self, channel: str) -> None:
        """Take in that a channel took a post."""
        self._open[channel] = asyncio.get_running_loop().time()
        self._open.move_to_end(channel)
        if len(self._open) > MOST:
            self._open.popitem(last=False)

    def doubt(self, channel: str) -> None:
        """Take in that a channel did not take a post: it is asked about again."""
        self._open.pop(channel, None)

    async def find_obstacle(self, channel: str) -> str:
        """Say what keeps the bot from writing in a channel; empty where nothing is known to."""
        now = asyncio.get_running_loop().time()
        if channel.startswith("D") or not self._allowed or now - self._open.get(channel, -HOUR) < HOUR:
            return ""
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await call(self._client.conversations_info(channel=channel))
        except TimeoutError:
            return ""
        except PlatformError as error:
            if str(error) in OUTSIDE:
                return "I am not in that channel"
            self._allowed = str(error) != "missing_scope"
            log.info("slack does not say whether a channel can be written to", error=str(error))
            return ""
        described = answer.get("channel") or {}
        self._names[channel] = str(described.get("name") or channel)
        if len(self._names) > MOST:
            self._names.popitem(last=False)
        obstacle = describe_obstacle(described)
        if not obstacle:
            self.confirm(channel)
        return obstacle


def describe_obstacle(channel: dict[str, Any]) -> str:
    """Say what keeps the bot from writing, from Slack's description of a channel (docs.slack.dev, conversation)."""
    if channel.get("is_archived"):
        return "the channel is archived"
    if channel.get("is_frozen") or channel.get("is_read_only"):
        return "the channel is read-only"
    if channel.get("is_member") is False:
        return "I am not in that channel"
    return ""
