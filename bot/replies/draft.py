"""What an answer should look like now: its text so far, its ending, and the pages that show them."""

from __future__ import annotations

from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page, State
from bot.domain.ports import Channel
from bot.markdown import Cut, split
from bot.texts import THINKING, withheld


class Draft:
    """The wanted state of one answer, for one channel.

    `seen` is the length of the text that was shown on the newest message; where a cut falls depends on it. `cuts` are
    those that shown pages rest on. `refusal` is why a closed answer is closed.
    """

    def __init__(self, channel: Channel, turn: int, attempt: int) -> None:
        self.text = ""
        self.state = State.GROWING
        self.note = ""
        self.ended = False
        self.cuts: tuple[Cut, ...] = ()
        self.seen = 0
        self.refusal: PlatformError | None = None
        self.turn = turn
        self.attempt = attempt
        self._accepted: list[str] = []
        self._closings: list[tuple[list[str], str]] = []
        self._channel = channel

    def restart(self) -> None:
        """Begin afresh."""
        self.text, self.cuts, self.seen = "", (), 0

    def think(self) -> None:
        """Say that the model reasons, until there is text."""
        self.note = THINKING

    def end(self, state: State, note: str) -> None:
        """Take in that the text is whole, how it ended and what is said about it."""
        self.state, self.note, self.ended = state, note, True

    def close(self, accepted: list[str], refusal: PlatformError) -> None:
        """Keep the texts that were accepted, with a sentence below them; raise where every form of that is refused.

        Each further call goes on to the next form: the sentence alone, then the texts alone. Where the sentence needs
        a message of its own, which is refused, the texts stay alone at once.
        """
        if self.refusal is None:
            self._accepted, self.refusal, self._closings = accepted, refusal, list_closings(accepted, refusal.fault)
        elif self._accepted and len(self.make_pages()[0]) > len(self._accepted):
            self._closings = [(self._accepted, "")]
        if not self._closings:
            raise refusal
        self._accepted, note = self._closings.pop(0)
        self.end(State.FAILED, note)

    def make_pages(self) -> tuple[list[Page], tuple[Cut, ...]]:
        """Return the pages that show it, and the cuts that they rest on.

        The last one has the state and the note; a note that does not fit has a page of its own behind it.
        """
        if self.refusal:
            texts, cuts = self._accepted, self.cuts
        else:
            growing, size = self.state is State.GROWING, self._channel.page_size
            texts, cuts = split(self.text, self._measure, size, self.cuts, growing, self.seen)
        note = self.note if self.ended or not texts else ""
        *whole, last = texts or [""]
        pages = [self._page(text, part, State.DONE, last=False) for part, text in enumerate(whole)]
        noted = self._page(last, len(whole), self.state, note)
        if not note or self._channel.measure(noted) <= self._channel.page_size:
            return [*pages, noted] if texts or note else [], cuts
        bare = self._page(last, len(whole), State.DONE, last=False)
        return [*pages, bare, self._page("", len(whole) + 1, self.state, note)], cuts

    def _page(self, text: str, part: int, state: State, note: str = "", last: bool = True) -> Page:
        return Page(text, state, note, part, last, self.turn, self.attempt)

    def _measure(self, text: str) -> int:
        """Measure a page with room for its cursor, so that the final text needs no page fewer than the draft."""
        return self._channel.measure(Page(text, State.GROWING))


def list_closings(accepted: list[str], fault: PlatformFault) -> list[tuple[list[str], str]]:
    """List the forms of an answer that was given up, as its texts and its note, the best first."""
    alone: tuple[list[str], str] = ([], withheld(fault, begun=False))
    return [(accepted, withheld(fault, begun=True)), alone, (accepted, "")] if accepted else [alone]
