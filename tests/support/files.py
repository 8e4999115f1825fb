"""Files as people send them, and as attackers do: pictures, documents, and a library that keeps them."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from PIL import Image
from pypdf import PdfReader, PdfWriter

from bot.config.settings import FilesSettings
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment
from bot.domain.model_info import Facts
from bot.domain.records import Material
from bot.prompts.files.attachments import read

SEES = Facts(images=True, documents=True)
BLIND = Facts()


class Shelf:
    """A library in memory; what it does not have is gone, and what is None never comes."""

    def __init__(self, files: Mapping[str, bytes | PlatformFault | None]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.posted: list[tuple[str, str]] = []

    async def download(self, attachment: Attachment, most: int) -> bytes:
        self.asked.append(attachment.name)
        content = self.files.get(attachment.name, PlatformFault.GONE)
        if content is None:
            await asyncio.Event().wait()
        if isinstance(content, PlatformFault):
            raise PlatformError(content, "https://files.example.org/secret-token: no")
        assert content is not None
        if len(content) > most:
            raise PlatformError(PlatformFault.REJECTED, "too large")
        return content

    async def attach(self, name: str, text: str) -> None:
        self.posted.append((name, text))


class Together(Shelf):
    """A library that gives nothing before all of its files were asked for."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(files)
        self._asked = asyncio.Barrier(len(files))

    async def download(self, attachment: Attachment, most: int) -> bytes:
        await self._asked.wait()
        return await super().download(attachment, most)


def attachment(name: str, size: int = 1, media_type: str = "application/octet-stream") -> Attachment:
    """A file as a platform declares it; nothing of that has to be true."""
    return Attachment(name, media_type, size, "https://files.example.org/1")


async def gather(files: Mapping[str, bytes | PlatformFault | None], facts: Facts = SEES, **settings: Any) -> Material:
    """What is read of these files, in their order."""
    return await read([attachment(name) for name in files], Shelf(files), facts, FilesSettings(**settings))


def picture(
    size: tuple[int, int] = (8, 6), format: str = "PNG", mode: str = "RGB", color: Any = 0, **more: Any
) -> bytes:
    """A picture of one colour."""
    return save(Image.new(mode, size, color), format, **more)


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture that cannot be compressed."""
    return Image.effect_noise(size, 90)


def save(image: Image.Image, format: str, **more: Any) -> bytes:
    """The picture as a file."""
    file = BytesIO()
    image.save(file, format, **more)
    return file.getvalue()


def show(data: bytes) -> Image.Image:
    """A picture from its file."""
    return Image.open(BytesIO(data))


def png(width: int, height: int, *chunks: tuple[bytes, bytes], pixels: bytes = b"") -> bytes:
    """A PNG with this header, these chunks, and this image data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def pdf(*pages: str, last: bytes = b"", count: int | None = None, padding: int = 0) -> bytes:
    """A document with a line of text on each page.

    `last` are deflated bytes that the last page's content is made of instead; the page tree claims to have `count`
    pages; `padding` are bytes that nothing refers to.
    """
    contents = [b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % page.encode() for page in pages]
    streams = [b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content) for content in contents]
    if last:
        streams[-1] = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(last), last)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages) if count is None else count),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, stream in enumerate(streams):
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R" % (5 + 2 * number)
        objects += [page + b" /Resources << /Font << /F1 3 0 R >> >> >>", stream]
    objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (padding, bytes(padding)))
    return _numbered(objects)


def _numbered(objects: Sequence[bytes]) -> bytes:
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (size, table, tail)


def lock(document: bytes, password: str) -> bytes:
    """The document, encrypted."""
    writer = PdfWriter(PdfReader(BytesIO(document)))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    file = BytesIO()
    writer.write(file)
    return file.getvalue()
