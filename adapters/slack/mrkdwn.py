"""What a person wrote in Slack, as plain words: mentions as names, links as links, no escapes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.quotes import plain

TOKEN = re.compile(r"<([^<>\n]+)>")
USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>\n]*)?>")
GROUP = re.compile(r"<!(?:subteam\^|here\b|channel\b|everyone\b)")


def mentions(text: str) -> tuple[str, ...]:
    """The ids of the people mentioned, each once, in their order."""
    return tuple(dict.fromkeys(USER.findall(text)))


def calls_others(text: str, me: str) -> bool:
    """Whether it mentions somebody, a group, or all who are there, but not `me`."""
    people = mentions(text)
    return me not in people and bool(people or GROUP.search(text))


def read(text: str, me: str, names: Mapping[str, str]) -> str:
    """The words without the bot's own mention; whom `names` does not know keeps their id."""
    own = rf"<@{re.escape(me)}(?:\|[^<>\n]*)?>"
    text = re.sub(rf"^\s*{own}[:,]?", "", text)
    text = re.sub(rf"[ \t]*{own}", "", text)
    parts: list[str] = []
    end = 0
    for token in TOKEN.finditer(text):
        parts += [_unescape(text[end : token.start()]), _unescape(_spell(token[1], names))]
        end = token.end()
    return "".join([*parts, _unescape(text[end:])]).strip()


def _spell(token: str, names: Mapping[str, str]) -> str:
    """What stands between < and >, in words."""
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return f"@{names.get(target[1:]) or plain(label) or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!date^"):
        return label
    if target.startswith("!"):
        return f"@{(label or target[1:].removeprefix('subteam^')).removeprefix('@')}"
    if not label or label in target or label in target.removeprefix("mailto:"):
        return label or target
    return f"[{label}]({target})"


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
