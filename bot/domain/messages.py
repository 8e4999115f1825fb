"""The nouns: who said what, where, and what the reader sees of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation lives: a channel, a thread, a DM, a web conversation, a terminal.

    `key` starts with the platform (`discord:123`, `slack:T1:C1:17.2`, `web:…`, `terminal:…`) and names one memory.
    `shared` is true where more than one person may speak, `direct` in a person's private messages with the bot. `home`
    is the key of the channel that a thread is in, whose settings hold in it; empty where that is the place itself.
    `person` is the id of the one whose own conversation this is, with which `key` then ends; empty where all who speak
    there share one.
    """

    key: str
    shared: bool = False
    direct: bool = False
    home: str = ""
    person: str = ""

    @property
    def platform(self) -> str:
        """The name of the adapter that serves this place."""
        return self.key.partition(":")[0]

    @property
    def room(self) -> str:
        """The key of the channel, thread or DM itself, the same for all who speak there."""
        return self.key.removesuffix(f":{self.person}") if self.person else self.key

    @property
    def channel(self) -> str:
        """The key of the channel that a thread is in, or of the place itself, the same for all who speak there."""
        return self.home or self.room

    @property
    def has_many_speakers(self) -> bool:
        """Whether what is remembered there is of more than one person."""
        return self.shared and not self.person

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class Author:
    """A person as the platform knows them: a stable id, and the name that others see."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who gives a command or presses a button.

    `admin` is who runs the bot; `manages` whom the platform lets set what holds for all in this place. `marks` are the
    ids that a list of `[access]` may name, as in `Incoming`.
    """

    author: Author
    admin: bool = False
    manages: bool = False
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message; `size` in bytes, `url` where the platform keeps it, empty where it does not."""

    name: str
    media_type: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class File:
    """A picture or a document that a model is shown: its bytes, in a form that providers take.

    `pages` is how many a document has; 0 where nobody counted them.
    """

    name: str
    media_type: str
    data: bytes = field(repr=False)
    pages: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """Something that somebody else said, shown to the model as material; `author` is empty where nobody knows whose.

    `by` is the id of that person.
    """

    author: str
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that asks for an answer.

    (platform, `channel_id`, `message_id`) is unique: a second delivery of the same message carries the same three.
    `text` has the mention that addresses the bot taken out and other mentions turned into names. `quote` is what it
    carries of others, where the platform shows it: the message that it replies to, what it forwards, previews of links.
    `command` is the name of one of the bot's commands, with its value where it takes one of a few, when that is the
    whole message. `sent` is when it was said, in seconds since 1970, the same in every delivery. `people` are those
    whom it mentions, where their names can be made mentions again. `marks` are the ids that a list of `[access]` may
    name, as the platform writes them: the person and their roles, the channel, what that is in, the server or
    workspace. `admin` is who runs the bot, `external` a person of another organisation in a shared channel, `bot`
    another program. `manages` is whom the platform lets set what holds for all in this place. `follows` is true where
    the bot is not addressed but answers all the same: it takes part in the thread, or answers everything there. `late`
    is true where it was away when this was said.
    """

    place: Place
    author: Author
    text: str
    channel_id: str
    message_id: str
    quote: str = ""
    command: str = ""
    attachments: tuple[Attachment, ...] = ()
    sent: float = 0.0
    people: tuple[Author, ...] = ()
    marks: tuple[str, ...] = ()
    admin: bool = False
    external: bool = False
    bot: bool = False
    manages: bool = False
    follows: bool = False
    late: bool = field(default=False, compare=False)


class Role(StrEnum):
    """Who speaks in a message of the record."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance of the record; `author` is empty for the bot.

    `moment` is when a question was asked, as the model is told it. `files` are shown along with it. `number` orders the
    messages of a place; 0 for what is not in the record.
    """

    role: Role
    content: str
    author: str = ""
    moment: str = ""
    files: tuple[File, ...] = ()
    number: int = field(default=0, compare=False)


class State(StrEnum):
    """What has become of an answer, or of one page of it."""

    GROWING = "growing"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    REFUSED = "refused"
    CUT = "cut"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Page:
    """One message of an answer as it should look now; how a state looks is the adapter's.

    `text` is markdown that stands alone. `note` is a short plain sentence under it: what happened, what to do.
    `part` counts from 0; later parts are continuations, posted silently and without a reference to the question.
    `last` marks the page with the cursor, the note and the controls. `turn` is the journal's number; 0 for what has no
    controls. `attempt` counts from 0 how often the answer was begun anew over the same messages.
    """

    text: str
    state: State = State.DONE
    note: str = ""
    part: int = 0
    last: bool = True
    turn: int = 0
    attempt: int = 0


class Control(StrEnum):
    """What a reader can press under an answer; each press carries the page's `turn`."""

    STOP = "stop"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer as the provider counted them.

    Of `input`, `cached` were read from its cache and `written` to it. `cost` is in US dollars, None where no price is
    known.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0
    cost: float | None = None
