"""The one client and the one HTTP session that everything in Slack goes through."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.settings import Settings

TIMEOUT = 30.0
"""Seconds that one call may take."""
EXPECTED = (OSError, TimeoutError, ClientError, SlackClientError)
TICKET = re.compile(r"(wss?://[^\s?'\"]+)\?[^\s'\")]*")


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[AsyncWebClient]:
    """A client that makes each call once, over connections that are kept."""
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT)) as session:
        yield AsyncWebClient(
            token=settings.bot_token.get_secret_value(),
            base_url=settings.api_base_url.rstrip("/") + "/",
            session=session,
            retry_handlers=[],
            logger=quiet_logger(),
        )


def quiet_logger() -> logging.Logger:
    """The logger for bolt and the SDK: errors alone, one line each.

    Below that level they log whole requests with what people wrote; with an error, addresses with tickets in them, and
    tracebacks even of a network that is down for a while.
    """
    logger = logging.getLogger("slack_sdk.parley")
    logger.setLevel(logging.ERROR)
    if not logger.filters:
        logger.addFilter(_shorten)
    return logger


def _shorten(record: logging.LogRecord) -> bool:
    record.msg, record.args = TICKET.sub(r"\1", record.getMessage()), ()
    if record.exc_info and isinstance(record.exc_info[1], EXPECTED):
        record.exc_info = record.exc_text = None
    return True
