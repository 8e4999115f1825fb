"""What is written in Slack's markup, as plain words: mentions as names, links as links, no escapes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.shared.quotes import plain
from bot.domain.addressing import strip_address

TOKEN = re.compile(r"<([^<>\n]+)>")
USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>\n]*)?>")
GROUP = re.compile(r"<!(?:subteam\^|here\b|channel\b|everyone\b)")
LOOSE = re.compile(r"<(?![@#!]|[A-Za-z][A-Za-z0-9+.-]*:)|&(?!(?:lt|gt|amp);)")
"""An angle bracket that begins none of Slack's tokens, and an ampersand that is no escape."""
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]+")
SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)")


def mentions(text: str) -> tuple[str, ...]:
    """The ids of the people mentioned, each once, in their order."""
    return tuple(dict.fromkeys(USER.findall(text)))


def calls_others(text: str, me: str) -> bool:
    """Whether it mentions somebody, a group, or all who are there, but not `me`."""
    people = mentions(text)
    return me not in people and bool(people or GROUP.search(text))


def read(text: str, me: str, names: Mapping[str, str]) -> str:
    """The words without the mention that addresses the bot `me`; whom `names` does not know keeps their id.

    With an empty `me` every mention is a name.
    """
    if me:
        text = strip_address(text, rf"<@{re.escape(me)}(?:\|[^<>\n]*)?>")
    parts: list[str] = []
    end = 0
    for token in TOKEN.finditer(text):
        parts += [_unescape(text[end : token.start()]), _unescape(_spell(token[1], names))]
        end = token.end()
    return "".join([*parts, _unescape(text[end:])]).strip()


def escape(text: str) -> str:
    """A text that is no markup, as markup that reads as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_loosely(text: str) -> str:
    """A text in which tokens and escapes may stand, as markup: what is neither is escaped."""
    return LOOSE.sub(lambda sign: escape(sign[0]), text)


def link(url: str, label: str) -> str:
    """A link in markup, out of an address and a label in markup; the label alone where that is no address."""
    url = url.strip().replace("|", "%7C")
    if not ADDRESS.fullmatch(url):
        return label
    label = " ".join(re.sub(r"<([^<>|\n]*\|)?|>", " ", label).split())
    return f"<{url}|{label}>" if label else f"<{url}>"


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
    if not label or label in (target, SCHEME.sub("", target).rstrip("/")):
        return label or target
    return f"[{label}]({target})"


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
