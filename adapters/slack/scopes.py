"""What the app asks the workspace for, what each scope is for, and what goes without it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.slack.settings import Settings


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope, what does not work without it, and the event that it lets through, where there is one."""

    name: str
    lost: str
    event: str = ""
    optional: bool = False


NEEDED = (
    Scope("app_mentions:read", "mentions do not arrive", "app_mention"),
    Scope("chat:write", "nothing can be answered"),
    Scope("commands", "slash commands and shortcuts do not work"),
    Scope("im:history", "direct messages do not arrive", "message.im"),
)
FOLLOW_UPS = (
    Scope("channels:history", "follow-ups in public channels need a mention", "message.channels", optional=True),
    Scope("groups:history", "follow-ups in private channels need a mention", "message.groups", optional=True),
    Scope("mpim:history", "follow-ups in group messages need a mention", "message.mpim", optional=True),
)
HEARD = frozenset({"channels:history", "groups:history"})
"""What it takes to read in channels what does not mention the bot."""
COMFORTS = (
    Scope(
        "reactions:write",
        "no eyes on a question say that it is being answered, no hourglass that it waits",
        optional=True,
    ),
    Scope("users:read", "people are known by their ids, not their names", optional=True),
)
FILES = (
    Scope("files:read", "pictures and files that come with a question stay unread", optional=True),
    Scope("files:write", "no long answer is shared as a file too, as bot.file_after wants it", optional=True),
)
AWAY = tuple(
    Scope(name, f"{where} where the bot was never asked, mentions from while it was away stay unseen", optional=True)
    for name, where in (
        ("channels:read", "in public channels"),
        ("groups:read", "in private channels"),
        ("mpim:read", "in group messages"),
    )
)


def wanted(settings: Settings, unaddressed: Sequence[str] = ()) -> tuple[Scope, ...]:
    """The scopes that these settings use.

    `unaddressed` are other settings, by their names, that need the bot to read what does not mention it.
    """
    followed: tuple[Scope, ...] = FOLLOW_UPS if settings.thread_follow_ups else ()
    if unaddressed:
        followed = tuple(_require(scope, unaddressed) for scope in FOLLOW_UPS)
    away = AWAY if followed and settings.catch_up else ()
    return (*NEEDED, *followed, *COMFORTS, *FILES, *away)


def _require(scope: Scope, unaddressed: Sequence[str]) -> Scope:
    """A scope that other settings need too, as what does not mention the bot comes with its event."""
    lost = f"{scope.lost}, as what does not mention me comes with {scope.event}, and there do nothing: "
    return replace(scope, lost=lost + ", ".join(unaddressed), optional=scope.name not in HEARD)
