"""A program of its own: a PDF on stdin; how many pages it has and what is written on them, on stdout.

Called with the most characters to give; with 0 it only looks whether the document can be read.
"""

from __future__ import annotations

import sys
from io import BytesIO
from itertools import islice

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError

from bot.prompts.files.child_answers import LOCKED, SEALED
from bot.prompts.files.child_limits import confine

PAGES = 500
"""How many pages are read."""
MEMORY = 200_000_000


def main() -> None:
    """Read and write page by page, so that what was read stays, whatever comes after it."""
    characters = int(sys.argv[1])
    confine(MEMORY)
    reader = PdfReader(BytesIO(sys.stdin.buffer.read()))
    if reader.is_encrypted and not _unlock(reader):
        sys.stdout.buffer.write(LOCKED)
        return
    head = b"%d%s\n" % (len(reader.pages), SEALED if reader.is_encrypted else b"")
    sys.stdout.buffer.write(head)
    for page in islice(reader.pages, PAGES):
        if characters <= 0:
            return
        text = f"{page.extract_text().strip()}\n\n"[:characters]
        characters -= len(text)
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()
    if len(reader.pages) > PAGES:
        sys.exit(1)  # not whole


def _unlock(reader: PdfReader) -> bool:
    """Many documents are encrypted only to forbid copying: their password is empty."""
    try:
        return reader.decrypt("") is not PasswordType.NOT_DECRYPTED
    except DependencyError:  # AES, which would need a further package
        return False


if __name__ == "__main__":
    main()
