"""What all replies in a workspace share: the client, its rate limits, and what it turned out not to allow."""

from __future__ import annotations

from collections import deque
from collections.abc import Set

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.api.identity import Identity
from adapters.slack.api.permissions import Permissions
from bot.pacing.pacer import Pacer
from bot.runtime.call_history import CallHistory

EDITS, MINUTE = 50, 60.0
"""`chat.update` is Tier 3: 50 calls and more a minute, for an app in a workspace (docs.slack.dev, rate limits)."""
POSTS, SECOND = 1, 1.0
"""`chat.postMessage` takes one message a second in a channel; short bursts pass (the same page)."""
READS = 20
"""Reading what was missed takes less than half of what `conversations.history` and its sisters allow (Tier 3), and so
does looking around questions, which does not wait for it."""
REMEMBERED = 1000
"""How many of the messages that the bot deleted are remembered."""

log = structlog.get_logger(__name__)


class Workspace:
    """One workspace that the bot is in.

    `lacking` names the methods that it turned out not to allow, or whose scope the token lacks; they are not called
    again while the program runs. `scopes` are the token's, empty where Slack does not say. `deleted` are the latest
    messages, as channel and `ts`, that the bot itself took away: Slack tells of those as of anybody's. `calls` keeps
    over restarts what its limits were charged.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        me: Identity,
        scopes: Set[str] = frozenset(),
        calls: CallHistory | None = None,
    ) -> None:
        self.client = client
        self.me = me
        self.scopes = scopes
        self.permissions = Permissions(client)
        self._calls = calls or CallHistory()
        self.edits = self._calls.keep(f"slack:{me.team}:edits", Pacer(EDITS, MINUTE))
        self.reads = Pacer(READS, MINUTE)
        self.looks = Pacer(READS, MINUTE)
        self.deleted: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self.lacking: set[str] = set()
        self._posts: dict[str, Pacer] = {}

    def posts(self, channel: str) -> Pacer:
        """The limit on posts in a channel."""
        if channel not in self._posts:
            self._posts[channel] = self._calls.keep(f"slack:{self.me.team}:{channel}:posts", Pacer(POSTS, SECOND))
        return self._posts[channel]

    def miss(self, method: str, reason: str) -> None:
        """Do without a method from now on."""
        if method not in self.lacking:
            log.info("slack does not allow a method; doing without it", method=method, reason=reason)
            self.lacking.add(method)
