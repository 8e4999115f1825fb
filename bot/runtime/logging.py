"""What the operator reads: one line an event, secrets masked, no controls, library loggers passing through."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from pydantic import SecretStr

from bot.config.settings import LogSettings
from bot.domain.errors import ParleyError
from bot.domain.plain_text import strip_controls

MASK = "[secret]"
TOKENS = re.compile(r"xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|sk-[\w-]{8,}|[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}")
"""What tokens of Slack, OpenAI, Anthropic and Discord look like: masked even where the settings do not know them."""
NOISY = (
    "aiohttp.access",
    "aiosqlite",
    "slack_bolt",
    "slack_sdk",
    "discord",
    "httpx2",
    "httpcore2",
    "openai",
    "anthropic",
    "uvicorn",
)
WORDY = ("discord", "slack_bolt", "slack_sdk", "openai", "anthropic")
"""Libraries whose debug lines carry what people and models write."""
TEXTS = "parley.texts"
"""The logger of questions and answers, silent unless the settings want them."""

META = ("_record", "_from_structlog")
"""What structlog puts into an event for itself, and takes out before it is written."""
EXPECTED = (ParleyError, OSError, TimeoutError, EOFError)
"""What networks, disks, platforms and models do: a library's report of it needs no traceback."""


def configure(settings: LogSettings, secrets: Iterable[SecretStr] = ()) -> None:
    """Send everything to stderr in the chosen form; of libraries, only warnings unless the level is debug.

    What people and models write is in it only where the settings say so.
    """
    level = getattr(logging, settings.level.upper())
    text = settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Masker(secret.get_secret_value() for secret in secrets),
    ]
    render = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer(ensure_ascii=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_shorten, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in NOISY:
        least = logging.INFO if name in WORDY and not settings.texts else logging.DEBUG
        logging.getLogger(name).setLevel(max(level, least if level == logging.DEBUG else logging.WARNING))
    logging.getLogger(TEXTS).setLevel(logging.DEBUG if settings.texts else logging.CRITICAL)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _shorten(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Make an expected fault that a library reports one line, without its traceback."""
    error = (event.get("exc_info") or (None, None))[1]
    if isinstance(error, EXPECTED):
        event["error"] = f"{type(error).__name__}: {error}"
        del event["exc_info"]
    return event


class _Masker:
    """Replaces every secret in every value of a log event, however deep it stands, and takes controls out of it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted((re.escape(secret) for secret in secrets if len(secret) > 3), key=len, reverse=True)
        self._pattern = re.compile("|".join((*known, TOKENS.pattern)))

    def __call__(self, _: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {key: value if key in META else self._mask(value) for key, value in event.items()}

    def _mask(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {self._mask(key): self._mask(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._mask(inner) for inner in value]
        return strip_controls(self._pattern.sub(MASK, str(value)))
