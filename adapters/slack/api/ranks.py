"""Who runs the workspace, as Slack has it."""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.api.calls import call
from bot.domain.errors import PlatformError, PlatformFault

UNSURE = "Slack does not tell me at the moment whether you may change that. Please try again in a minute."
RANKS = ("is_admin", "is_owner", "is_primary_owner")

log = structlog.get_logger(__name__)


async def runs(client: AsyncWebClient, user: str, team: str) -> bool:
    """Whether a person is an admin or an owner of the workspace; asked each time, for a rank can be taken away.

    False where the token lacks the scope for it. Raises PlatformError where Slack cannot be asked.
    """
    try:
        answer = await call(client.users_info(user=user))
    except PlatformError as error:
        if error.fault is not PlatformFault.FORBIDDEN:
            raise
        log.warning("slack does not say who runs the workspace; only slack.admins count", reason=str(error))
        return False
    person = answer.get("user") or {}
    return person.get("team_id") == team and any(person.get(rank) is True for rank in RANKS)
