"""Reading what led to an error of an SDK, which wraps what the connection raised. Pure."""

from __future__ import annotations

from aiohttp import ClientConnectorError, ClientOSError, ServerDisconnectedError

DROPS = (ServerDisconnectedError, ClientOSError)


def list_causes(error: BaseException | None) -> list[BaseException]:
    """List the error and what led to it, the first cause last."""
    return [error, *list_causes(error.__cause__)] if error else []


def find_reason(error: BaseException) -> str:
    """Find the words of the error that is nearest to the wire."""
    return next((text for cause in reversed(list_causes(error)) if (text := str(cause))), type(error).__name__)


def is_dropped(error: Exception) -> bool:
    """Say whether the server closed the connection before it answered anything."""
    causes = list_causes(error)
    return any(isinstance(cause, DROPS) and not isinstance(cause, ClientConnectorError) for cause in causes)
