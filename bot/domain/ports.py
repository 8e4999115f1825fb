"""What the engine needs of the world: somewhere to speak, someone who answers, somewhere to write it down."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from bot.domain.deadline import Deadline
from bot.domain.errors import ModelError
from bot.domain.journal import Journal
from bot.domain.messages import Attachment, Incoming, Message, Page, Quote, State, Usage
from bot.domain.model_info import Facts
from bot.domain.records import Record, Spent, Summary
from bot.domain.spending import Spending, UsageRow
from bot.pacing.pacer import Pacer


class Channel(Protocol):
    """Where the bot speaks to one question, by messages that can be edited.

    Every call raises `PlatformError`; none retries a refused call by itself, waits for a rate limit, or may be
    cancelled in flight by its caller. Markdown comes in canonical form; the dialect is the channel's business.
    """

    page_size: int
    """The most that `measure` may give for one page."""
    posts: Pacer
    """The limit that `post` counts under, shared by all who share it."""
    edits: Pacer
    """The limit that `edit` counts under; the same object as `posts` where the platform counts them together."""

    async def post(self, page: Page) -> str:
        """Post a page and return its id; part 0 is a reply to the question."""
        ...

    async def edit(self, id: str, page: Page) -> None:
        """Make the message with this id show the page."""
        ...

    async def delete(self, id: str) -> None:
        """Take a message away."""
        ...

    async def typing(self) -> None:
        """Show that an answer is coming, until cancelled; then take the sign away. Never raises PlatformError."""
        ...

    def measure(self, page: Page) -> int:
        """The page's length after the dialect, with its cursor and note, in the unit that the platform counts."""
        ...


@runtime_checkable
class Queue(Protocol):
    """A channel that can show that a question waits for its turn, such as by a reaction on it."""

    async def waiting(self) -> None:
        """Show it until cancelled; then take the sign away. Never raises PlatformError."""
        ...


@runtime_checkable
class Confidant(Protocol):
    """A channel that can tell the person who asked something that nobody else sees."""

    async def confide(self, text: str) -> None:
        """Tell them, once. Raises PlatformError."""
        ...


@runtime_checkable
class Permissions(Protocol):
    """A channel that can tell beforehand whether the bot may write there."""

    @property
    def where(self) -> str:
        """The channel's name, for the admins."""
        ...

    async def find_obstacle(self) -> str:
        """Say what keeps the bot from writing there, as in "I lack the permission Send Messages".

        Empty where nothing is known to. Never raises PlatformError.
        """
        ...


@runtime_checkable
class Library(Protocol):
    """A channel that keeps files: those that came with a question can be read, and an answer can be had as one."""

    async def download(self, attachment: Attachment, most: int) -> bytes:
        """The content of a file, from the platform's own hosts alone.

        Raises PlatformError: REJECTED where it is kept elsewhere or has more than `most` bytes, and as for any call.
        """
        ...

    async def attach(self, name: str, text: str) -> None:
        """Post a text file below the answer. Raises PlatformError."""
        ...


@runtime_checkable
class Surroundings(Protocol):
    """A channel that can say what was said around a question."""

    async def around(self, incoming: Incoming, first: bool) -> Sequence[Quote]:
        """What the question refers to and the memory does not have, the oldest first; never raises PlatformError.

        `first` says that the bot was asked nothing in this place before.
        """
        ...


@runtime_checkable
class Transcript(Protocol):
    """Where text is only ever appended: the web page, the terminal. It gets raw pieces, as the model writes them."""

    async def append(self, text: str) -> None:
        """Show a further piece of the answer."""
        ...


@runtime_checkable
class Revocable(Protocol):
    """A transcript that can take back what it was given: a model had thought aloud, or begins afresh."""

    shown: bool
    """Whether somebody reads along. To them an answer that failed in the middle is not begun afresh."""

    async def withdraw(self) -> None:
        """All that was appended to this answer is no part of it."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is told. `messages` starts with a user's and never has two of one role in a row.

    `temperature` is sent only where it is set; `max_tokens` bounds the answer. Nobody waits for what is asked in the
    `background`. By its `deadline`, where there is one, the model that is asked has to show life.
    """

    system: str
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float | None = None
    background: bool = False
    deadline: Deadline | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """What a model streams: text for the reader, reasoning that is not, and at the end how it ended.

    `end` is DONE, CUT (the length limit) or REFUSED, on the last piece only, with the `usage` where it is known. `anew`
    is the failure after which the answer begins afresh: what was said before it is void. `failed` is that of an attempt
    which said nothing, before the next one. `withdrawn` says that the text before this piece was no answer, but
    thoughts. `model` is the name of the one that wrote it, on the last piece; `aside` a sentence of the bot's own for
    below it.
    """

    text: str = ""
    reasoning: str = ""
    end: State | None = None
    usage: Usage | None = None
    anew: ModelError | None = None
    failed: ModelError | None = None
    model: str = ""
    aside: str = ""
    withdrawn: bool = False


class Model(Protocol):
    """Someone who answers."""

    @property
    def name(self) -> str:
        """`provider/model`, for the log and the operator."""
        ...

    @property
    def reader(self) -> str:
        """Who reads what people write, for people: "OpenAI", "a model on this machine"."""
        ...

    @property
    def trial(self) -> bool:
        """True for the tiny model that only serves to try Parley out."""
        ...

    @property
    def facts(self) -> Facts:
        """What is known of it."""
        ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Answer the prompt. Raises ModelError; a stream that ends without an `end` piece raises it with CUT."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Memory(Journal, Protocol):
    """What was said in each place, in whole turns. Every call raises StorageError."""

    async def places(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        """(place key, its latest question) of the places whose keys begin so, the newest first."""
        ...

    async def recall(self, place: str, limit: int, before: int = 0) -> list[Message]:
        """The last `limit` messages of a place, oldest first; with `before`, only those of earlier turns than that."""
        ...

    async def review(self, place: str, limit: int, before: int = 0) -> Record:
        """What the model is to be shown of a place, `limit` messages at most, before a turn if one is named."""
        ...

    async def trim(self, place: str, start: int) -> None:
        """Let the messages before this number be shown no more; the record stays, their files go."""
        ...

    async def condense(self, place: str, summary: Summary) -> bool:
        """Write a summary down and move the start; False, and only the usage, if the record changed meanwhile."""
        ...

    async def charge(self, turn: int, spent: Spent) -> None:
        """Write down what was spent after a turn on something that came to nothing, such as a summary that failed."""
        ...

    async def spent(self, author: str, since: float, place: str = "") -> UsageRow:
        """What a person, `<platform>:<id>`, has asked and what it cost since a moment, in seconds since 1970.

        With a place, only what they asked there.
        """
        ...

    async def toll(self, since: float, author: str = "", place: str = "") -> Spending:
        """What was spent since a moment: in all, by a person, `<platform>:<id>`, or in a place."""
        ...

    async def visits(self, platform: str, author: str, since: float) -> list[tuple[str, float]]:
        """What a person asked since a moment, the oldest first: a name for each message, `<channel>:<id>`, and when.

        What was answered several times counts as often; the further names are of no message.
        """
        ...

    async def forget(self, place: str) -> bool:
        """Delete every text of a place; the ids stay, so that nothing is answered again. False if there was none."""
        ...

    async def known(self, place: str) -> bool:
        """Whether a place has turns that were not forgotten."""
        ...

    async def asked(self, place: str) -> bool:
        """Whether the bot was ever asked anything in a place, or in a person's own conversation there.

        It does not matter whether that was forgotten.
        """
        ...

    async def metadata(self, place: str) -> dict[str, Any]:
        """What is noted about a place itself, such as that the bot was told to be quiet there; `/reset` keeps it."""
        ...

    async def annotate(self, place: str, key: str, value: Any) -> None:
        """Note something about a place; `value` is anything that JSON can hold, None takes the note away."""
        ...

    async def expire(self, before: float) -> int:
        """Delete the texts of what was asked before a moment, in seconds since 1970; returns how many questions.

        Their ids stay, so that nothing is answered again; summaries that cover them are void.
        """
        ...

    async def forget_person(self, platform: str, author: str) -> int:
        """Delete what a person said everywhere on a platform, and its answers; returns how many questions.

        What was said around the questions of others goes where it quotes them.

        Their id goes from what they asked and what it cost a day later, with `expire`: the limits of the day hold.
        """
        ...

    async def export(self, platform: str, author: str, place: str = "") -> list[dict[str, Any]]:
        """What a person said on a platform, or in one place of it, the oldest first: where, when, and the answer."""
        ...

    async def close(self) -> None:
        """Write everything down and let go of the file."""
        ...
