"""Opening the files of one message, one at a time, as long as there is room for what is in them."""

from __future__ import annotations

import asyncio

from bot.config.settings import FilesSettings
from bot.domain.messages import File
from bot.domain.model_info import Facts
from bot.domain.records import Material
from bot.prompts.files import child_process
from bot.prompts.files.child_answers import LOCKED, PICTURE, SEALED, VAST
from bot.prompts.files.formatting import block, language
from bot.prompts.files.kinds import CONTROL, Kind, sort
from bot.prompts.files.request_limits import PDF, Room

PICTURES, PDFS = "bot.prompts.files.picture", "bot.prompts.files.pdf"
"""The programs that open them: their libraries are never imported here."""
HEAD = 100
"""More than the bytes before the line feed in what they answer."""
EMPTY = "{name} is empty."
UNKNOWN = "{name}: I cannot read this kind of file."
UNSEEN = "{name} is a picture, which my model cannot see."
PIXELS = "{name} has too many pixels: I open pictures of at most {millions:g} million."
BROKEN = "{name} is damaged, or too much work to open."
LOCK = "{name} is locked with a password, so I cannot read it."
SCAN = "{name} holds no text, and its pages cannot be shown to my model."
FULL = "There was no room left for {name}."
CUT = "I read only the first {shown:,} characters of {name}."
HERE = "Cut here: the rest of {name} is missing."
"""What the model is told where a text was cut."""


def noted(sentence: str, name: str, **more: float) -> Material:
    """Nothing but a note about a file."""
    return Material(notes=(sentence.format(name=name, **more),))


class Opening:
    """Makes of each file what a model with these facts can use; what all of them may take together is counted here."""

    def __init__(self, facts: Facts, settings: FilesSettings) -> None:
        self.facts = facts
        self.settings = settings
        self._characters = settings.characters
        self._room = Room()
        self._turn = asyncio.Lock()

    async def open(self, name: str, data: bytes) -> Material:
        """What is in a file, or a note why it cannot be used; `name` is one short line."""
        async with self._turn:
            kind, text = await asyncio.to_thread(sort, data)
            match kind:
                case Kind.PICTURE:
                    return await self._look(name, data) if self.facts.images else noted(UNSEEN, name)
                case Kind.DOCUMENT:
                    return (self.facts.documents and await self._show(name, data)) or await self._extract(name, data)
                case Kind.TEXT:
                    return self._quote(name, text, language(name)) if text.strip() else noted(EMPTY, name)
            return noted(UNKNOWN, name)

    async def _look(self, name: str, data: bytes) -> Material:
        pixels, edge = self.settings.pixels, self.settings.edge
        output, _ = await child_process.run(PICTURES, data, pixels, edge, most=PICTURE + HEAD)
        if output == VAST:
            return noted(PIXELS, name, millions=pixels / 1e6)
        media_type, _, picture = output.partition(b"\n")
        if not picture:
            return noted(BROKEN, name)
        return self._file(File(name, media_type.decode(), picture)) or noted(FULL, name)

    async def _show(self, name: str, data: bytes) -> Material | None:
        """The document as it is; None where a provider would not take it, or there is no room for it."""
        output, _ = await child_process.run(PDFS, data, 0, most=HEAD)
        pages = output.removesuffix(b"\n")
        return self._file(File(name, PDF, data, int(pages))) if pages.isdigit() else None

    async def _extract(self, name: str, data: bytes) -> Material:
        """The text of a document; what was read before something went wrong counts."""
        most = self._characters + 1
        output, whole = await child_process.run(PDFS, data, most, most=4 * most + HEAD)
        head, _, text = output.partition(b"\n")
        words = text.decode(errors="ignore")
        whole = whole and len(words) < most
        words = CONTROL.sub("", words.replace("\r", "\n")).strip()
        if head == LOCKED:
            return noted(LOCK, name)
        if not head.removesuffix(SEALED).isdigit() or not (words or whole):
            return noted(BROKEN, name)
        return self._quote(name, words, whole=whole) if words else noted(SCAN, name)

    def _file(self, file: File) -> Material | None:
        """The file, if there is room for it."""
        return Material(files=(file,)) if self._room.take(file) else None

    def _quote(self, name: str, text: str, code: str = "", whole: bool = True) -> Material:
        shown = text[: self._characters]
        self._characters -= len(shown)
        if not shown:
            return noted(FULL, name)
        if whole and shown == text:
            return Material(block(name, shown, code))
        note = CUT.format(name=name, shown=len(shown))
        return Material(block(name, shown, code, HERE.format(name=name)), notes=(note,))
