"""Interactions: what people ask of the bot beside messages, each to be acknowledged once and in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.loopback.discord import payloads
from tests.loopback.discord.calls import Call, Reply
from tests.loopback.discord.messages import Messages
from tests.loopback.discord.rules import ON_ANSWER, RefusalError, check_blank, check_message, invalid, mentioned
from tests.loopback.discord.state import EPHEMERAL, LOADING, Message, Version
from tests.loopback.discord.world import APP, World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
"""Kinds of interactions."""
ANSWER, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
"""Kinds of callbacks."""
TAKES = {
    COMMAND: {ANSWER, DEFERRED, FORM},
    COMPONENT: {ANSWER, DEFERRED, DEFERRED_UPDATE, UPDATE, FORM},
    AUTOCOMPLETE: {CHOICES},
    MODAL: {ANSWER, DEFERRED, DEFERRED_UPDATE, UPDATE},
}
ACK, LIFE = 3.0, 900.0
"""Seconds in which an interaction must be acknowledged, and for which its token is good."""


@dataclass
class Interaction:
    """One interaction and what came of it: `callback` is the kind of the answer, 0 while there is none.

    `messages` are what the bot said by it, the first being the original answer; `choices` what it offered.
    """

    id: str
    token: str
    kind: int
    channel: str
    user: str
    born: float
    payload: dict[str, Any] = field(default_factory=dict)
    source: Message | None = None
    callback: int = 0
    original: Message | None = None
    messages: list[Message] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether it was acknowledged."""
        return bool(self.callback)

    @property
    def shown(self) -> list[str]:
        """What stands there of what the bot said by it."""
        return [said.shown for said in self.messages if not said.deleted and not said.flags & LOADING]

    @property
    def private(self) -> bool:
        """Whether all that the bot said by it is seen by the one person alone."""
        return all(said.viewer for said in self.messages)


class Interactions:
    """The REST routes of interactions and their webhooks."""

    def __init__(self, world: World, messages: Messages, clock: Callable[[], float]) -> None:
        self._world = world
        self._messages = messages
        self._clock = clock
        self.all: list[Interaction] = []

    def callback(self, call: Call) -> Reply:
        """POST /interactions/{interaction}/{token}/callback."""
        one = next((one for one in self.all if (one.id, one.token) == (call["interaction"], call["token"])), None)
        if one is None or (not one.answered and self._clock() - one.born > ACK):
            raise RefusalError(404, 10062, "Unknown interaction")
        if one.answered:
            raise RefusalError(400, 40060, "Interaction has already been acknowledged.")
        kind, data = call.body.get("type"), call.body.get("data") or {}
        if kind not in TAKES[one.kind]:
            raise invalid("type", "INTERACTION_RESPONSE_TYPE", "Not for this kind of interaction.")
        self._answer(one, kind, data, call)
        one.callback = kind
        if call.query.get("with_response") not in ("1", "true"):
            return Reply(None, 204)
        return Reply(self._describe(one, kind))

    def follow(self, call: Call) -> Reply:
        """POST /webhooks/{application}/{token}."""
        one = self._alive(call)
        if one.original and one.original.flags & LOADING:
            self._resolve(one, call)
            return Reply(payloads.message(one.original, self._world))
        return Reply(payloads.message(self._say(one, call.body, call), self._world))

    def get(self, call: Call) -> Reply:
        """GET /webhooks/{application}/{token}/messages/{message}."""
        return Reply(payloads.message(self._target(self._alive(call), call["message"]), self._world))

    def edit(self, call: Call) -> Reply:
        """PATCH /webhooks/{application}/{token}/messages/{message}."""
        one = self._alive(call)
        said = self._target(one, call["message"])
        if said.flags & LOADING:
            self._resolve(one, call)
        else:
            self._messages.change(said, call)
        return Reply(payloads.message(said, self._world))

    def delete(self, call: Call) -> Reply:
        """DELETE /webhooks/{application}/{token}/messages/{message}."""
        self._messages.remove(self._target(self._alive(call), call["message"]))
        return Reply(None, 204)

    def _answer(self, one: Interaction, kind: int, data: dict[str, Any], call: Call) -> None:
        if kind == ANSWER:
            one.original = self._say(one, data, call)
        elif kind == DEFERRED:
            flags = int(data.get("flags") or 0) & EPHEMERAL | LOADING
            one.original = self._place(one, Version("", flags=flags, at=self._clock()))
            self._messages.publish(self._world.channels[one.channel], one.original, {})
        elif kind in (UPDATE, DEFERRED_UPDATE):
            one.original = one.source
            if kind == UPDATE and one.source:
                call.body = data
                self._messages.change(one.source, call)
        elif kind == CHOICES:
            one.choices = self._offer(data.get("choices") or [])
        else:
            one.form = data

    def _offer(self, choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(choices) > 25:
            raise invalid("data.choices", "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 25 in length.")
        for number, choice in enumerate(choices):
            for key in ("name", "value"):
                if not isinstance(choice.get(key), str):
                    raise invalid(f"data.choices.{number}.{key}", "STRING_TYPE_CONVERT", "Could not interpret.")
                if not 1 <= len(choice[key]) <= 100:
                    raise invalid(f"data.choices.{number}.{key}", "BASE_TYPE_BAD_LENGTH", "Must be 1 to 100 in length.")
        return choices

    def _say(self, one: Interaction, body: dict[str, Any], call: Call) -> Message:
        version = self._messages.compose(body, ON_ANSWER)
        said = self._place(one, version, record=False)
        said.attachments = self._messages.attach(call)
        check_blank(version, said.attachments)
        one.messages.append(said)
        self._messages.publish(self._world.channels[one.channel], said, body.get("allowed_mentions"))
        return said

    def _place(self, one: Interaction, version: Version, record: bool = True) -> Message:
        said = Message(self._world.snowflakes.next(), one.channel, self._world.bot, [version])
        said.viewer = one.user if version.flags & EPHEMERAL else ""
        said.type = 20 if one.kind == COMMAND and not one.messages else 19
        if record:
            one.messages.append(said)
        return said

    def _resolve(self, one: Interaction, call: Call) -> None:
        """Put text in the place of "is thinking…"; who sees it was settled before."""
        said = one.original
        assert said
        check_message(call.body, 0, ON_ANSWER)
        version = self._messages.compose({**call.body, "flags": said.flags & EPHEMERAL}, ON_ANSWER)
        attachments = self._messages.attach(call)
        check_blank(version, attachments)
        said.attachments = attachments
        said.versions.append(version)
        self._messages.notify(said, mentioned(version.content, call.body.get("allowed_mentions")))
        self._messages.announce(said, "MESSAGE_UPDATE")

    def _alive(self, call: Call) -> Interaction:
        one = next((one for one in self.all if one.token == call["token"]), None)
        if one is None or call["application"] != APP or not one.answered:
            raise RefusalError(404, 10015, "Unknown Webhook")
        if self._clock() - one.born > LIFE:
            raise RefusalError(401, 50027, "Invalid Webhook Token")
        return one

    def _target(self, one: Interaction, id: str) -> Message:
        said = one.original if id == "@original" else next((said for said in one.messages if said.id == id), None)
        if said is None or said.deleted:
            raise RefusalError(404, 10008, "Unknown Message")
        return said

    def _describe(self, one: Interaction, kind: int) -> dict[str, Any]:
        fact: dict[str, Any] = {"id": one.id, "type": one.kind}
        if one.original and kind in (ANSWER, DEFERRED):
            loading = bool(one.original.flags & LOADING)
            fact |= {"response_message_id": one.original.id, "response_message_loading": loading}
            fact["response_message_ephemeral"] = bool(one.original.viewer)
        found: dict[str, Any] = {"interaction": fact}
        if one.original and kind in (ANSWER, DEFERRED, UPDATE):
            found["resource"] = {"type": kind, "message": payloads.message(one.original, self._world)}
        return found
