"""Stop and Try again: by the buttons under an answer, and by shortcuts on its message."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from adapters.slack.api.identity import Identity
from adapters.slack.interactions.responder import Person, meet, place_of, told
from adapters.slack.manifest import AGAIN, STOP
from adapters.slack.outbound.buttons import PRESS, find_turn, pressed
from adapters.slack.settings import Settings
from bot.domain.messages import Control
from bot.engine import Engine
from bot.runtime.health import Host

NO_ANSWER = "Use this on the message with the “Try again” button: the last one of my answer."


class Presses:
    """Does what people press. All that it needs to know comes with the press, so that it works after a restart."""

    def __init__(self, engine: Engine, me: Identity, settings: Settings, host: Host) -> None:
        self._engine = engine
        self._me = me
        self._settings = settings
        self._host = host

    def register(self, app: AsyncApp) -> None:
        """Have the app call this."""
        app.action(PRESS)(self.press)
        app.shortcut(STOP)(self.stop)
        app.shortcut(AGAIN)(self.again)

    async def press(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """A button under an answer was pressed."""
        await ack()
        if press := pressed(body["actions"][0]):
            await self._press(*press, meet(body, respond, self._settings))

    async def stop(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Stop the answer that a message shows; on any other message, what is written in its conversation."""
        await ack()
        person = meet(body, respond, self._settings)
        if turn := self._turn(body):
            await self._press(Control.STOP, turn, person)
            return
        place = place_of(body, self._me, self._settings)
        await person.tell(await told(self._host, lambda: self._engine.run_command("stop", place, person.caller)))

    async def again(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Try the answer that a message shows again."""
        await ack()
        person = meet(body, respond, self._settings)
        if turn := self._turn(body):
            await self._press(Control.AGAIN, turn, person)
        else:
            await person.tell(NO_ANSWER)

    def _turn(self, body: dict[str, Any]) -> int:
        """The turn of the bot's own message; what another app's message carries does not count."""
        message = body["message"]
        own = self._me.user == message.get("user") or (self._me.bot and self._me.bot == message.get("bot_id"))
        return find_turn(message) if own else 0

    async def _press(self, control: Control, turn: int, person: Person) -> None:
        said = await told(self._host, lambda: self._engine.press_button(control, turn, person.caller))
        if said:
            await person.tell(said)
