"""Files that are made to harm: they end in a note, and the bot goes on."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image
from structlog.testing import capture_logs

from bot.prompts.files import child_process
from bot.prompts.files.child_limits import BASE, CPU
from tests.support.files import BLIND, SEES, gather, noise, pdf, picture, png, save, show

BROKEN = "a is damaged, or too much work to open."


def zeros(megabytes: int) -> bytes:
    """So many blanks, deflated a thousandfold; a checksum that nobody gets to is wrong."""
    deflating = zlib.compressobj(6)
    first, more = (deflating.compress(b" " * 10**6) + deflating.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + more * (megabytes - 1) + deflating.flush()


def gif(screen: int, frame: int) -> bytes:
    """A GIF whose screen is smaller than its frame."""
    header = b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return header + b"," + struct.pack("<HHHHB", 0, 0, frame, frame, 0) + b"\2\2\x44\1\0;"


def scans(count: int) -> bytes:
    """A small JPEG that takes its decoder as many passes over as many pixels as it can have."""
    data = save(Image.new("L", (7000, 7000)), "JPEG", progressive=True)
    *_, last = data[:-2].split(b"\xff\xda")
    return data[:-2] + (b"\xff\xda" + last) * count + b"\xff\xd9"


def childless() -> bool:
    """Whether no process that this one started is left."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


@pytest.mark.parametrize(
    "data", [png(60000, 60000), gif(1, 65535), gif(65535, 1), png(2**31 - 1, 1)], ids=["png", "frame", "screen", "line"]
)
async def test_a_picture_of_too_many_pixels_is_not_opened(data: bytes) -> None:
    """Its header says so; decoded it would be gigabytes."""
    assert (await gather({"a": data})).notes == ("a has too many pixels: I open pictures of at most 50 million.",)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
async def test_a_text_that_explodes_in_a_picture_harms_nobody(kind: bytes) -> None:
    """A hundred megabytes of it; the picture is shown without it, or not at all."""
    head = b"k\0\1\0\0\0" if kind == b"iTXt" else b"k\0\0"
    material = await gather({"a": png(2, 1, (kind, head + zeros(100)), pixels=b"\0" * 7)})
    assert (material.notes == (BROKEN,)) != bool(material.files)


async def test_a_gif_of_a_hundred_thousand_frames_is_one_picture() -> None:
    """Only the first is decoded."""
    data = picture((4, 4), "GIF", "P")
    start = data.index(b",")
    material = await gather({"a": data[:start] + data[start:-1] * 100_000 + b";"})
    (file,) = material.files
    assert show(file.data).size == (4, 4)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.98])
async def test_half_a_picture_is_none(format: str, part: float) -> None:
    """Neither a part of it, nor only how it begins."""
    data = save(noise((200, 200)), format)
    material = await gather({"a": data[: max(16, int(len(data) * part))]})
    assert (material.files, material.notes) == ((), (BROKEN,))


async def test_a_picture_that_takes_for_ever_is_given_up() -> None:
    """It would take hours; its process is gone when the time is over."""
    data = scans(10_000)
    assert len(data) < 3_000_000
    material = await gather({"a": data}, seconds=0.5)
    assert material.notes == ("a took too long to read.",)
    assert childless()


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-",
        b"%PDF-1.7\n" + os.urandom(2000),
        pdf("x")[:300],
        pdf("x").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"),
        pdf("x").replace(b"/Kids [4 0 R]", b"/Kids " + b"[" * 5000),
        pdf("x", last=zeros(200)),
    ],
    ids=["head", "noise", "half", "circle", "deep", "flate"],
)
async def test_a_document_that_is_none_is_told(data: bytes) -> None:
    """Cut, circular, nested or inflated: nothing is made of it, and nothing waits for it."""
    material = await gather({"a": data}, BLIND)
    assert (material.text, material.files, len(material.notes)) == ("", (), 1)
    assert not (await gather({"a": data[:300]}, SEES)).files


async def test_the_pages_before_a_bomb_are_read() -> None:
    """And it is said that there was more."""
    material = await gather({"a": pdf("Good", "x", last=zeros(200))}, BLIND)
    assert material.text == "File a:\n```\nGood\n```\n(Cut here: the rest of a is missing.)"
    assert material.notes == ("I read only the first 4 characters of a.",)


async def test_a_document_that_lies_about_its_pages_is_counted() -> None:
    """What it claims is not what is looped over, nor what is sent."""
    assert "Hello" in (await gather({"a": pdf("Hello", count=10**9)}, BLIND)).text
    assert not (await gather({"a": pdf(*["x"] * 101, count=1)}, SEES)).files


async def test_one_bomb_does_not_take_the_others_along() -> None:
    """Each file stands alone."""
    material = await gather({"a": png(60000, 60000), "b": b"text", "c": picture(), "d": b"PK\3\4\0"})
    assert ("text" in material.text, len(material.files), len(material.notes)) == (True, 1, 2)


async def test_a_program_that_opens_files_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment is handed on but what Python itself needs."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    output, whole = await child_process.run("tests.support.probe", b"12345", 0, most=10_000)
    told = json.loads(output)
    assert (told["data"], whole) == (5, True)
    assert set(told["environment"]) <= {*child_process.KEPT, "LC_CTYPE"}


async def test_a_program_that_writes_too_much_is_ended() -> None:
    """What it wrote until then is all that is kept."""
    output, whole = await child_process.run("tests.support.probe", bytes(10**6), 1, most=70_000)
    assert (len(output), whole) == (70_000, False)
    assert childless()


async def test_where_no_process_can_be_started_files_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is told, and the operator is told why."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with capture_logs() as logs:
        assert (await gather({"a": picture()})).notes == (BROKEN,)
    assert [entry["log_level"] for entry in logs] == ["error"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_a_program_that_opens_files_is_confined() -> None:
    """In processor time and in memory; what it asks for beyond that it does not get."""
    limits = "resource.getrlimit(resource.RLIMIT_CPU)[0], resource.getrlimit(resource.RLIMIT_CORE)[0]"
    confined = "from bot.prompts.files.child_limits import confine; confine(0)"
    code = f"import resource; {confined}; print({limits}); bytearray({BASE})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stdout.strip() == f"{CPU} 0"
    assert "MemoryError" in ended.stderr
