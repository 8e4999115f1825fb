"""What Discord takes and what it refuses, and whom a text notifies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.loopback.discord.state import COMPONENTS_V2, EPHEMERAL, SILENT, SUPPRESS_EMBEDS, Version, flatten

CONTENT = 2_000
"""Code points of a message (discord/discord-api-docs#1315: "length based on the number of codepoints")."""
NONCE, CUSTOM_ID, LABEL = 25, 100, 80
ROWS, PER_ROW = 5, 5
PARTS, PARTS_TEXT = 40, 4_000
"""Components, and characters of all their text, in a message of components alone."""
EMBED, EMBEDS, EMBED_TOTAL = 4_096, 10, 6_000
FILE = 10 * 2**20
OPTIONS, LONGEST_OPTION = 25, 6_000
NAME = re.compile(r"^[-_'\w]{1,32}$")
LINK = re.compile(r"(?<!<)https?://[^\s<>]+")
USER, ROLE = re.compile(r"<@!?(\d+)>"), re.compile(r"<@&(\d+)>")


class RefusalError(Exception):
    """Discord's answer to a call that it does not take; `errors` is the tree of an invalid form."""

    def __init__(self, status: int, code: int, message: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "code": code}
        if errors:
            self.body["errors"] = errors


def invalid(field: str, code: str, message: str) -> RefusalError:
    """The refusal of a form for one of its fields; dots lead into it."""
    tree: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(field.split(".")):
        tree = {name: tree}
    return RefusalError(400, 50035, "Invalid Form Body", tree)


def check_message(body: Mapping[str, Any], flags: int, allowed: int) -> None:
    """The form of a message that is posted or edited, whatever it says."""
    content = body.get("content") or ""
    if not isinstance(content, str):
        raise invalid("content", "STRING_TYPE_CONVERT", "Could not interpret as string.")
    if len(content) > CONTENT:
        raise invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {CONTENT} or fewer in length.")
    if flags & ~allowed:
        raise invalid("flags", "BASE_TYPE_CHOICES", f"Flags {flags & ~allowed} cannot be set.")
    if flags & COMPONENTS_V2 and (content or body.get("embeds")):
        raise invalid("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Cannot be used together.")
    if len(str(body.get("nonce") or "")) > NONCE:
        raise invalid("nonce", "NONCE_TYPE_TOO_LONG", f"Must be {NONCE} or fewer in length.")
    check_embeds(body.get("embeds") or [])
    check_components(body.get("components") or [], bool(flags & COMPONENTS_V2))
    check_mentions(body.get("allowed_mentions"))


def check_embeds(embeds: list[dict[str, Any]]) -> None:
    """Number and lengths of embeds."""
    if len(embeds) > EMBEDS:
        raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length.")
    if any(len(embed.get("description") or "") > EMBED for embed in embeds):
        raise invalid("embeds.0.description", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBED} or fewer in length.")
    if sum(len(embed.get("description") or "") + len(embed.get("title") or "") for embed in embeds) > EMBED_TOTAL:
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TOTAL}")


def check_components(components: list[dict[str, Any]], free: bool) -> None:
    """Rows of buttons, or where `free` is set any components."""
    parts = flatten(components)
    if free and (len(parts) > PARTS or sum(len(part.get("content", "")) for part in parts) > PARTS_TEXT):
        raise invalid("components", "COMPONENT_MAX_SIZE", "The total size of the components is too large.")
    if not free and any(part.get("type") != 1 for part in components):
        raise invalid("components.0.type", "BASE_TYPE_CHOICES", "Value of field must be one of (1,).")
    if not free and len(components) > ROWS:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {ROWS} in length.")
    for row in (part for part in parts if part.get("type") == 1):
        if not 1 <= len(row.get("components", ())) <= PER_ROW:
            raise invalid("components.0.components", "BASE_TYPE_BAD_LENGTH", f"Must be 1 to {PER_ROW} in length.")
    buttons = [part for part in parts if part.get("type") == 2]
    for button in buttons:
        check_button(button)
    ids = [button["custom_id"] for button in buttons if "custom_id" in button]
    if len(ids) != len(set(ids)):
        raise invalid("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")


def check_button(button: Mapping[str, Any]) -> None:
    """One button."""
    link = button.get("style") == 5
    if button.get("style") not in range(1, 7):
        raise invalid("components.0.components.0.style", "BASE_TYPE_CHOICES", "Unknown style.")
    if link == ("custom_id" in button) or link != ("url" in button):
        raise invalid("components.0.components.0", "BUTTON_COMPONENT_INVALID_FIELDS", "A custom id or a url.")
    if not link and not 1 <= len(button["custom_id"]) <= CUSTOM_ID:
        raise invalid("components.0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH", f"Must be 1 to {CUSTOM_ID}.")
    if len(button.get("label") or "") > LABEL:
        raise invalid("components.0.components.0.label", "BASE_TYPE_MAX_LENGTH", f"Must be {LABEL} or fewer in length.")
    if not button.get("label") and not button.get("emoji"):
        raise invalid("components.0.components.0", "BUTTON_COMPONENT_MISSING_LABEL_EMOJI", "A label or an emoji.")


def check_mentions(allowed: Mapping[str, Any] | None) -> None:
    """`allowed_mentions`: a kind is either parsed or listed."""
    if allowed is None:
        return
    for kind in ("users", "roles"):
        if allowed.get(kind) and kind in allowed.get("parse", ()):
            message = f"parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive."
            raise invalid("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
    if set(allowed.get("parse", ())) - {"users", "roles", "everyone"}:
        raise invalid("allowed_mentions.parse", "BASE_TYPE_CHOICES", "Unknown kind.")


def check_options(options: list[dict[str, Any]]) -> None:
    """What may follow a slash command."""
    if len(options) > OPTIONS:
        raise invalid("options", "BASE_TYPE_BAD_LENGTH", f"Must be {OPTIONS} or fewer in length.")
    names = [option.get("name", "") for option in options]
    if len(set(names)) < len(names):
        raise invalid("options", "APPLICATION_COMMANDS_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
    for number, option in enumerate(options):
        name, text = option.get("name", ""), option.get("description", "")
        if not NAME.match(name) or name != name.lower():
            raise invalid(f"options.{number}.name", "STRING_TYPE_REGEX", "Does not match the rule for names.")
        if not 1 <= len(text) <= 100:
            raise invalid(f"options.{number}.description", "BASE_TYPE_BAD_LENGTH", "Must be 1 to 100 in length.")
        if option.get("type") not in range(1, 12):
            raise invalid(f"options.{number}.type", "BASE_TYPE_CHOICES", "Unknown type.")
        if option.get("autocomplete") and (option["type"] not in (3, 4, 10) or option.get("choices")):
            raise invalid(f"options.{number}.autocomplete", "APPLICATION_COMMANDS_OPTIONS_AUTOCOMPLETE", "Not here.")
        if "max_length" in option and (option["type"] != 3 or not 1 <= option["max_length"] <= LONGEST_OPTION):
            raise invalid(f"options.{number}.max_length", "NUMBER_TYPE_MAX", f"1 to {LONGEST_OPTION}, of a text.")
        if option.get("required") and not all(before.get("required") for before in options[:number]):
            raise invalid(f"options.{number}", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required ones first.")


def check_blank(version: Version, attachments: list[dict[str, Any]]) -> None:
    """A message must show something."""
    if not (version.content.strip() or version.components or version.embeds or attachments):
        raise RefusalError(400, 50006, "Cannot send an empty message")


ON_POST = SUPPRESS_EMBEDS | SILENT | COMPONENTS_V2
ON_EDIT = SUPPRESS_EMBEDS | COMPONENTS_V2
ON_ANSWER = ON_POST | EPHEMERAL
"""The flags that can be set on a post, on an edit, and on the answer to an interaction."""


@dataclass(frozen=True)
class Mentions:
    """Whom a text mentions and notifies."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: tuple[str, ...] = ()


def mentioned(text: str, allowed: Mapping[str, Any] | None) -> Mentions:
    """Whom a text mentions, as far as `allowed_mentions` lets it; without it, everybody.

    Code and backslashes protect nobody here, which is stricter than the platform and no less safe.
    """
    users, roles = dict.fromkeys(USER.findall(text)), dict.fromkeys(ROLE.findall(text))
    everyone = tuple(word for word in ("@everyone", "@here") if word in text)
    if allowed is None:
        return Mentions(tuple(users), tuple(roles), everyone)
    parse = allowed.get("parse", ())
    listed = [set(map(str, allowed.get(kind) or ())) for kind in ("users", "roles")]
    return Mentions(
        tuple(user for user in users if "users" in parse or user in listed[0]),
        tuple(role for role in roles if "roles" in parse or role in listed[1]),
        everyone if "everyone" in parse else (),
    )


def previews(content: str, flags: int) -> tuple[dict[str, Any], ...]:
    """The link previews that pop up under a text, unless they are suppressed."""
    if flags & SUPPRESS_EMBEDS:
        return ()
    return tuple({"type": "link", "url": url} for url in dict.fromkeys(LINK.findall(content)))
