"""What the operator reads: whole, in the chosen form, and never a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog
from pydantic import SecretStr

from bot.config.settings import LogSettings
from bot.domain.errors import ModelError, ModelFault
from bot.runtime.logging import MASK, NOISY, TEXTS, WORDY, configure

KEY = "a-key-of-no-known-shape"
SHAPES = {
    "xoxb": "-123456789012-123456789012-abcdefghijklmnopqrstuvwx",
    "xoxe.xoxb": "-1-abcdefghijklmnop",
    "xapp": "-1-A0123456789-1234567890123-abcdef0123456789",
    "sk": "-proj-abcdefghijklmnopqrstuvwx",
    "sk-ant": "-api03-abcdefghijklmnopqrstuvwx-AA",
    "MTA5ODc2NTQzMjEwOTg3NjU0": ".GabcDE.abcdefghijklmnopqrstuvwxyz0123456789AB",
}
TOKENS = [kind + rest for kind, rest in SHAPES.items()]
"""Put together here, so that nothing that scans files for tokens takes these for real ones."""
Read = Callable[[], list[dict[str, Any]]]

log = structlog.get_logger("bot.test")
JSON, SECRETS = LogSettings(level="info", format="json"), [SecretStr(KEY), SecretStr("")]
library = logging.getLogger("somebody.elses")


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    """What a test configures is gone after it."""
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in (None, *NOISY, TEXTS)}
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def read(capsys: pytest.CaptureFixture[str]) -> Read:
    """The lines that were logged since it was last called, as JSON."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_an_event_with_its_values(read: Read) -> None:
    """JSON with the words, the level, the time in UTC and the values in their own types; nothing goes to stdout."""
    configure(JSON, SECRETS)
    log.info("answered “ja”", place="discord:1", tokens=12, first=0.25, fault=None, done=True)
    [line] = read()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "answered “ja”",
        "level": "info",
        "place": "discord:1",
        "tokens": 12,
        "first": 0.25,
        "fault": None,
        "done": True,
    }


def test_a_secret_is_masked_wherever_it_stands(read: Read) -> None:
    """In the event, in a value, deep within one, in a key, in an object's own words, in bound context."""
    configure(JSON, SECRETS)
    log.info(f"got {KEY}", place=KEY)
    log.info("x", deep={"a": [{"b": (f"Bearer {KEY}", 3)}], KEY: 1}, several={KEY})
    log.info("x", error=ValueError(f"bad {KEY}"), raw=KEY.encode(), _hidden=KEY)
    log.info("x %s", KEY)
    with structlog.contextvars.bound_contextvars(turn=KEY):
        log.info("x")
    lines = read()
    assert KEY not in json.dumps(lines)
    assert lines[0]["event"] == f"got {MASK}"
    assert lines[1]["deep"]["a"] == [{"b": [f"Bearer {MASK}", 3]}]
    assert lines[4]["turn"] == MASK


@pytest.mark.parametrize("logger", [log, library])
def test_a_secret_in_an_exception_is_masked(read: Read, logger: Any) -> None:
    """In its text, in the one that it came from, and in the traceback; the rest of the traceback is there."""
    configure(JSON, SECRETS)
    try:
        try:
            raise KeyError(KEY)
        except KeyError as error:
            raise RuntimeError(f"refused {KEY}") from error
    except RuntimeError:
        logger.exception("it broke")
    [line] = read()
    assert KEY not in json.dumps(line)
    assert f"RuntimeError: refused {MASK}" in line["exception"]
    assert f"KeyError: '{MASK}'" in line["exception"]
    assert "test_log.py" in line["exception"]


def test_a_secret_in_a_librarys_line_is_masked(read: Read) -> None:
    """In its message, its arguments and what it adds."""
    configure(JSON, SECRETS)
    library.warning(f"token {KEY}")
    library.warning("token %s and %r", KEY, {"deep": KEY})
    library.warning("token %(key)s", {"key": KEY})
    library.warning("x", extra={"header": {"Authorization": KEY}})
    lines = read()
    assert KEY not in json.dumps(lines)
    assert lines[1]["event"] == f"token {MASK} and {{'deep': '{MASK}'}}"
    assert lines[3]["header"] == {"Authorization": MASK}


@pytest.mark.parametrize("token", TOKENS)
def test_what_looks_like_a_token_is_masked(read: Read, token: str) -> None:
    """Also where the settings do not know it: another workspace's, one of yesterday's."""
    configure(JSON, SECRETS)
    log.info("x", url=f"https://example.com/?token={token}&x=1")
    library.warning("Bearer %s.", token)
    lines = read()
    assert lines[0]["url"].startswith("https://example.com/?token=")
    assert MASK in lines[0]["url"]
    longest = max(token.replace(".", "-").split("-"), key=len)
    assert longest not in json.dumps(lines)


def test_ordinary_words_are_not_masked(read: Read) -> None:
    """Ids, addresses, versions and model names stay readable; a secret too short to be one is none."""
    configure(LogSettings(format="json"), [SecretStr("abc")])
    words = "slack:T0123456789:C0123456789:1732500000.123456 gpt-5.4-mini 123456789012345678 task-force abc.example.org"
    log.info(words)
    assert read()[0]["event"] == words


def test_a_longer_secret_is_masked_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Where one secret begins like another, no rest of it stays."""
    configure(LogSettings(format="json"), [SecretStr("secret"), SecretStr("secret-and-more")])
    log.info("secret-and-more")
    assert json.loads(capsys.readouterr().err)["event"] == MASK


@pytest.mark.parametrize(
    "error", [ConnectionResetError("gone"), TimeoutError(), ModelError(ModelFault.NETWORK, "no answer")]
)
def test_an_expected_fault_of_a_library_has_no_traceback(read: Read, error: Exception) -> None:
    """Networks fail: a library that reports it with a traceback is heard in one line, with the reason."""
    configure(JSON, SECRETS)
    try:
        raise error
    except type(error):
        library.exception("Attempting a reconnect in %.2fs", 1.5)
    [line] = read()
    assert "exception" not in line
    assert line["event"] == "Attempting a reconnect in 1.50s"
    assert line["error"] == f"{type(error).__name__}: {error}"


def test_a_bug_in_a_library_keeps_its_traceback(read: Read) -> None:
    """Only what is expected is shortened."""
    configure(JSON, SECRETS)
    try:
        raise AttributeError("no such thing")
    except AttributeError:
        library.exception("Unexpected")
    assert "Traceback" in read()[0]["exception"]


def test_text_is_one_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """For eyes: words and values, secrets masked there too."""
    configure(LogSettings(format="text"), [SecretStr(KEY)])
    log.warning("an adapter is down", adapter="slack", reason=KEY)
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert "an adapter is down" in written
    assert MASK in written
    assert KEY not in written


def test_auto_is_json_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """A stderr that is no terminal gets JSON."""
    configure(LogSettings(format="auto"))
    log.info("x")
    assert json.loads(capsys.readouterr().err)["event"] == "x"


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_nothing_below_the_level_is_written(capsys: pytest.CaptureFixture[str], level: str, heard: int) -> None:
    """Debug, info, warning, error: each includes those after it, for Parley and for libraries."""
    configure(LogSettings(level=level, format="json"))
    for logger in (log, library):
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)("x")
        assert len(capsys.readouterr().err.splitlines()) == heard


@pytest.mark.parametrize("name", NOISY)
def test_chatty_libraries_only_warn(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Their info lines come with the level debug alone; so do debug lines, unless they have what people write."""
    chatty = logging.getLogger(f"{name}.inner")
    for level, heard in (("info", 1), ("debug", 2 if name in WORDY else 3), ("error", 0)):
        configure(LogSettings(level=level, format="json"))
        for line in ("debug", "info", "warning"):
            getattr(chatty, line)("x")
        assert len(capsys.readouterr().err.splitlines()) == heard, level


@pytest.mark.parametrize(("level", "texts", "heard"), [("debug", True, 3), ("debug", False, 0), ("info", True, 0)])
def test_texts_are_logged_only_where_that_is_set(read: Read, level: str, texts: bool, heard: int) -> None:
    """`log.texts` at the level debug shows questions and answers, and what libraries say of them; secrets stay out."""
    configure(LogSettings(level=level, format="json", texts=texts), SECRETS)
    structlog.get_logger(TEXTS).debug("said", question=["Why?"], answer=f"Because {KEY}")
    for name in ("discord.gateway", "anthropic._base_client"):
        logging.getLogger(name).debug("WebSocket Event: Why? %s", KEY)
    lines = read()
    assert len(lines) == heard
    assert KEY not in json.dumps(lines)


@pytest.mark.parametrize("form", ["json", "text"])
def test_foreign_text_cannot_act_on_a_terminal(
    form: Literal["json", "text"], capsys: pytest.CaptureFixture[str]
) -> None:
    """What a model or a platform wrote has no controls, no escape sequences and no overrides of direction there."""
    configure(LogSettings(level="info", format=form), [])
    log.info("failed", error="a\x1b]0;title\x07b\0c\u202ed", inner=[{"x\u202e": "\x9b"}])
    written = capsys.readouterr().err
    assert "abcd" in written
    assert not set("\0\x07\x9b\u202e") & set(written)
    assert "title" not in written
