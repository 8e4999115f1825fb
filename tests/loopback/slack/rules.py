"""What the Web API takes: arguments, scopes and tiers of each method, and how long a message may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt

MARKDOWN, MESSAGE, BLOCKS, UPDATE_TEXT, TEXT = 12_000, 13_200, 50, 4_000, 40_000
SECTION, CONTEXT, BUTTON, VALUE, ELEMENTS = 3_000, 2_000, 75, 2_000, 25
ROWS, COLUMNS = 100, 20
FILE = 2**30
READER = MarkdownIt("commonmark").enable("table")
"""An independent reading of the markdown."""


class RefusalError(Exception):
    """`{"ok": false, "error": …}`."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True)
class Method:
    """One method: arguments that must be there, ones that may, the scope, and calls a minute."""

    needs: frozenset[str]
    takes: frozenset[str]
    scope: str = ""
    tier: int = 50


def _method(needs: str = "", takes: str = "", scope: str = "", tier: int = 50) -> Method:
    return Method(frozenset(needs.split()), frozenset(takes.split()), scope, tier)


CONTENT = "text blocks metadata link_names parse markdown_text"
METHODS: Mapping[str, Method] = {
    "auth.test": _method(),
    "apps.connections.open": _method(),
    "chat.postMessage": _method(
        "channel", f"{CONTENT} thread_ts unfurl_links unfurl_media mrkdwn reply_broadcast", "chat:write", 10**9
    ),
    "chat.update": _method("channel ts", f"{CONTENT} reply_broadcast", "chat:write"),
    "chat.delete": _method("channel ts", "", "chat:write"),
    "chat.postEphemeral": _method("channel user", f"{CONTENT} thread_ts", "chat:write", 100),
    "reactions.add": _method("channel name timestamp", "", "reactions:write"),
    "reactions.remove": _method("channel name timestamp", "", "reactions:write"),
    "users.conversations": _method("", "types cursor limit exclude_archived", "", 20),
    "users.info": _method("user", "include_locale team_id", "users:read", 100),
    "conversations.info": _method("channel", "include_locale include_num_members", "channels:read"),
    "conversations.history": _method("channel", "cursor limit oldest latest inclusive"),
    "conversations.replies": _method("channel ts", "cursor limit oldest latest inclusive"),
    "files.getUploadURLExternal": _method("filename length", "alt_txt snippet_type", "files:write", 100),
    "files.completeUploadExternal": _method(
        "files", "channel_id channels thread_ts initial_comment blocks", "files:write", 100
    ),
    "assistant.threads.setStatus": _method("channel_id thread_ts status", "loading_messages", "chat:write", 600),
}
SCOPES = (
    "app_mentions:read",
    "chat:write",
    "commands",
    "im:history",
    "channels:history",
    "groups:history",
    "mpim:history",
    "reactions:write",
    "users:read",
    "channels:read",
    "groups:read",
    "mpim:read",
    "files:read",
    "files:write",
)
HISTORY = {"channel": "channels:history", "group": "groups:history", "mpim": "mpim:history", "im": "im:history"}
"""The scope that lets a conversation's messages through, by its kind."""
READ = {"channel": "channels:read", "group": "groups:read", "mpim": "mpim:read", "im": "im:read"}
"""The scope that lets a conversation be listed, by its kind."""
KINDS = {"public_channel": "channel", "private_channel": "group", "mpim": "mpim", "im": "im"}
"""What the kinds are called where they are listed."""


def check_arguments(name: str, args: Mapping[str, Any]) -> Method:
    """The method; refuses arguments that are missing or that it does not know."""
    method = METHODS.get(name)
    if method is None:
        raise RefusalError("unknown_method")
    if method.needs - {key for key, value in args.items() if value not in (None, "")} - {"status"}:
        raise RefusalError("invalid_arguments")
    if args.keys() - method.needs - method.takes or None in args.values():
        raise RefusalError("invalid_arguments")
    return method


def check_content(args: Mapping[str, Any], limit: int = TEXT) -> None:
    """Refuse a message that Slack would not take."""
    text, blocks = args.get("text") or "", args.get("blocks") or []
    if not text and not blocks:
        raise RefusalError("no_text")
    if len(text) > limit:
        raise RefusalError("msg_too_long")
    if not isinstance(blocks, list) or len(blocks) > BLOCKS:
        raise RefusalError("invalid_blocks")
    if sum(_measure(block) for block in blocks) > MESSAGE:
        raise RefusalError("msg_blocks_too_long")


def _measure(block: Any) -> int:
    """A block's characters; refuses one that is not well formed."""
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "markdown":
        return _measure_markdown(block)
    if kind == "section":
        _check_keys(block, {"type", "text", "accessory", "block_id"})
        if "accessory" in block:
            _check_button(block["accessory"])
        return _measure_text(block.get("text"), SECTION)
    if kind == "context":
        _check_keys(block, {"type", "elements", "block_id"})
        if not 1 <= len(block["elements"]) <= 10:
            raise RefusalError("invalid_blocks")
        return sum(_measure_text(element, CONTEXT) for element in block["elements"])
    if kind == "actions":
        _check_keys(block, {"type", "elements", "block_id"})
        if not 1 <= len(block["elements"]) <= ELEMENTS:
            raise RefusalError("invalid_blocks")
        for element in block["elements"]:
            _check_button(element)
        return 0
    raise RefusalError("invalid_blocks")


def _measure_markdown(block: Mapping[str, Any]) -> int:
    _check_keys(block, {"type", "text", "block_id"})
    text = block.get("text")
    if not isinstance(text, str) or not text.strip():
        raise RefusalError("invalid_blocks")
    if len(text) > MARKDOWN:
        raise RefusalError("msg_too_long")
    _check_tables(text)
    return len(text)


def _check_tables(text: str) -> None:
    """Refuse more tables than a message has blocks for, and one with more rows or columns than Slack shows."""
    tables = rows = columns = depth = 0
    for token in READER.parse(text):
        depth = token.level if token.type == "table_open" else depth
        if token.type == "table_open" and not depth:
            tables, rows, columns = tables + 1, 0, 0
        rows += token.type == "tr_open" and not depth
        columns += token.type == "th_open" and not depth
        if rows > ROWS or columns > COLUMNS:
            raise RefusalError("invalid_blocks")
    if 2 * tables + 1 > BLOCKS:
        raise RefusalError("invalid_blocks")


def _measure_text(text: Any, limit: int) -> int:
    if not isinstance(text, dict) or text.get("type") not in ("mrkdwn", "plain_text"):
        raise RefusalError("invalid_blocks")
    if not 1 <= len(text.get("text", "")) <= limit:
        raise RefusalError("invalid_blocks")
    return len(text["text"])


def _check_button(button: Mapping[str, Any]) -> None:
    _check_keys(button, {"type", "text", "action_id", "value", "style", "confirm"})
    if button.get("type") != "button" or button.get("text", {}).get("type") != "plain_text":
        raise RefusalError("invalid_blocks")
    if len(button["text"]["text"]) > BUTTON or len(button.get("value", "")) > VALUE or not button.get("action_id"):
        raise RefusalError("invalid_blocks")


def _check_keys(block: Mapping[str, Any], known: set[str]) -> None:
    if block.keys() - known:
        raise RefusalError("invalid_blocks")
