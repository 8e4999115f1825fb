"""What is written down of turns and places, and what came of them (frozen, no behaviour)."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.messages import File, Incoming, Message, State, Usage


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was claimed: its number, and whether its place had none before."""

    id: int
    first: bool


@dataclass(frozen=True, slots=True)
class Material:
    """What came with a question besides its words: text to read, files to see, and what could not be used of it.

    `quoted` are the ids of others whose words are in the text.
    """

    text: str = ""
    files: tuple[File, ...] = ()
    notes: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What the memory has of a place for the model: the latest summary, and the messages that are shown as they are.

    The summary is of everything from message `since` to `until`; 0 where there is none. `gap` is true where messages
    before the shown ones are in no summary. `age` is the seconds since the last message. `revision` changes whenever
    what is remembered is changed.
    """

    summary: str = ""
    since: int = 0
    until: int = 0
    messages: tuple[Message, ...] = ()
    gap: bool = False
    age: float = 0.0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary to be written down: of the messages from `since` to `until`, as the record was at `revision`.

    From `start` on the messages are still shown as they are. `model` wrote it, for `usage`.
    """

    content: str
    since: int
    until: int
    start: int
    revision: int
    model: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Spent:
    """What a model took of which no answer came."""

    model: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn as it is written down: what was asked, the posts that show its answer, and how that ended.

    `questions` are the messages that became one turn, the last of them the one that is replied to. `draft` is what was
    shown of an answer that has no end yet; `begun` is true once something of it may stand there. `last` is true while
    nothing was asked after it in its place. `attempt` counts how often it was answered anew. `age` is in seconds.
    """

    id: int
    questions: tuple[Incoming, ...]
    posts: tuple[str, ...]
    draft: str
    state: State
    begun: bool
    last: bool
    attempt: int
    age: float
    material: Material = field(default_factory=Material)

    @property
    def incoming(self) -> Incoming:
        """The message that is replied to."""
        return self.questions[-1]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a turn: the whole text that exists, how it ended, and the posts that show it.

    `fault` is the value of a ModelFault or PlatformFault, or "storage", "bug", "full", "access" or "limit". `first` is
    the seconds from the question to the first text on the screen, `lag` those from the model's last piece to the whole
    text; `limited` is how many calls the platform refused for their rate. `usage` is that of `model`, with its attempts
    that failed; `others` is what other models took before it.
    """

    text: str = ""
    state: State = State.DONE
    note: str = ""
    usage: Usage = field(default_factory=Usage)
    posts: tuple[str, ...] = ()
    model: str = ""
    fault: str = ""
    first: float | None = None
    lag: float | None = None
    limited: int = 0
    others: tuple[Spent, ...] = ()
