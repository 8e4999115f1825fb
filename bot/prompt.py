"""What the model is told: who it is, as much of the record as fits, and the question. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.config import BotSettings
from bot.messages import Incoming, Message, Place, Role
from bot.ports import Prompt

SHARED = "Several people talk here. Each of their messages begins with the speaker's name; yours must not."
LOOK = "(Asked about the message above.)"
NAME_LENGTH = 60


def ask(*said: Incoming) -> Message:
    """The question as it is remembered and sent: each message with what it replies to, quoted before its words."""
    return Message(Role.USER, "\n\n".join(filter(None, map(_word, said))), said[-1].author.name)


def _word(incoming: Incoming) -> str:
    quote = "".join(f"> {line}\n" for line in incoming.quote.splitlines())
    words = incoming.text or (LOOK if quote else "")
    return f"{quote}\n{words}" if quote else words


def compose(settings: BotSettings, place: Place, history: Sequence[Message], question: Message) -> Prompt:
    """Put the prompt together: roles take turns, and it starts with a user's message."""
    messages: list[Message] = []
    for message in (*history, question):
        spoken = _attribute(message) if place.shared else message
        if messages and messages[-1].role is spoken.role:
            spoken = Message(spoken.role, f"{messages.pop().content}\n\n{spoken.content}")
        if messages or spoken.role is Role.USER:
            messages.append(spoken)
    system = f"{settings.system_prompt}\n\n{SHARED}" if place.shared else settings.system_prompt
    return Prompt(system, tuple(messages), settings.max_tokens, settings.temperature)


def _attribute(message: Message) -> Message:
    """Put the speaker's name before what they said; a name is one short line without a colon."""
    if message.role is Role.ASSISTANT:
        return message
    name = " ".join(message.author.replace(":", " ").split())[:NAME_LENGTH]
    return Message(message.role, f"{name or 'Somebody'}: {message.content}")
