"""What is open at a place in a markdown text: containers, a fence, a table, markers; and how to close and reopen it."""

from __future__ import annotations

from typing import NamedTuple

QUOTE = 0
"""A block quote among containers; any other number is a list item whose content begins so many columns in."""


class Fence(NamedTuple):
    """An open code fence: its characters, the columns (0 to 3) before them, and its info string."""

    marker: str
    indent: int
    info: str


class Context(NamedTuple):
    """What is open at an offset of a text; all that is known of the text before it.

    `table` is the header row and the delimiter row. `partial` says that the offset is inside a line, whose block goes
    on; `inline` are the markers to open again there.
    """

    containers: tuple[int, ...] = ()
    fence: Fence | None = None
    table: tuple[str, str] | None = None
    paragraph: bool = False
    partial: bool = False
    inline: tuple[str, ...] = ()

    def reopen(self) -> str:
        """What a page that begins here says before the text; it stands outside of list items, at the margin."""
        quotes = "> " * self.containers.count(QUOTE)
        if self.fence:
            indent = " " * self.fence.indent
            opening = f"{quotes}{indent}{self.fence.marker}{self.fence.info}\n"
            return opening + (quotes + indent if self.partial else "")
        if self.table:
            header, delimiter = self.table
            return f"{quotes}{header}\n{quotes}{delimiter}\n" + (quotes if self.partial else "")
        return quotes + "".join(self.inline) if self.partial else ""

    def close(self, inherited: int = 0) -> str:
        """What a page that ends here says after the text; the first `inherited` containers were open at its start."""
        if self.fence:
            prefix = "".join(
                "> " if width == QUOTE else " " * width if depth >= inherited else ""
                for depth, width in enumerate(self.containers)
            )
            return f"\n{prefix}{' ' * self.fence.indent}{self.fence.marker}"
        return "".join(reversed(self.inline))

    def without_extras(self) -> Context:
        """The same with the shortest way to open it again."""
        fence = self.fence and self.fence._replace(info="")
        return self._replace(fence=fence, table=None, inline=())
