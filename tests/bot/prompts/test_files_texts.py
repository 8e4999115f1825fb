"""Texts among the files of a question, and what is said of files that are none: facts beside those of `test_files`."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.settings import FilesSettings
from bot.domain.errors import PlatformFault
from bot.domain.records import Material
from bot.prompts.files.attachments import read
from bot.prompts.files.formatting import NAME, block, title
from bot.prompts.files.kinds import CONTROL, Kind, sort
from tests.support.files import BLIND, SEES, Shelf, Together, attachment, gather, pdf, picture


def archive() -> bytes:
    """A zip file that holds a hundred megabytes of nothing."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as inside:
        inside.writestr("nothing.txt", bytes(10**8))
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [archive(), gzip.compress(b"text"), "Größe".encode("latin-1"), "\x85".encode(), b"RIFF\0\0\0\0WAVE"],
    ids=["zip", "gzip", "latin", "control", "sound"],
)
async def test_what_is_no_text_is_not_read(data: bytes) -> None:
    """Neither unpacked nor guessed at, whatever it is called."""
    assert await gather({"a.txt": data}) == Material(notes=("a.txt: I cannot read this kind of file.",))


async def test_names_and_declared_types_do_not_count() -> None:
    """A picture called a text is a picture, a text called a picture is a text, and so on."""
    files = {"a.txt": picture(), "b.png": b"hello", "c.jpg": pdf("Hi")}
    declared = [attachment(name, 1, kind) for name, kind in zip(files, ("text/plain", "image/png", "x"), strict=True)]
    material = await read(declared, Shelf(files), SEES, FilesSettings())
    assert [(file.name, file.media_type) for file in material.files] == [
        ("a.txt", "image/jpeg"),
        ("c.jpg", "application/pdf"),
    ]
    assert (material.text, material.notes) == ("File b.png:\n```png\nhello\n```", ())


async def test_a_text_that_just_fits_is_whole() -> None:
    """The limit itself is not too much."""
    assert (await gather({"a": b"12345"}, characters=5)).notes == ()


async def test_where_files_are_off_that_is_said() -> None:
    """Nothing is fetched."""
    assert (await gather({"a": b"x"}, count=0)).notes == ("I read no files here, so I left out a.",)


async def test_a_question_without_files_has_no_material() -> None:
    """And no notes."""
    assert await gather({}) == Material()


@pytest.mark.parametrize("fault", PlatformFault)
async def test_what_cannot_be_fetched_is_told_and_the_rest_is_read(fault: PlatformFault) -> None:
    """One sentence with the name, and nothing of what the platform said."""
    material = await gather({"a.txt": fault, "b.txt": b"here"})
    assert material.text == "File b.txt:\n```txt\nhere\n```"
    (note,) = material.notes
    assert "a.txt" in note
    assert note.endswith(".")
    assert "secret" not in note


async def test_files_are_fetched_at_once() -> None:
    """Here nothing comes before all of them were asked for."""
    files = {"a": b"1", "b": b"2", "c": b"3"}
    material = await read([attachment(name) for name in files], Together(files), BLIND, FilesSettings())
    assert material.text.count("File ") == 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202egnp.exe\u200b", "gnp.exe"),
        ("  \r\n ", "a file without a name"),
        ("\ud83d.txt", ".txt"),
        ("x" * 300, "x" * (NAME - 1) + "…"),
        ("x" * NAME, "x" * NAME),
    ],
    ids=["invisible", "blank", "half", "long", "fitting"],
)
def test_a_name_is_one_short_line(name: str, shown: str) -> None:
    """Nothing in it is invisible, and it cannot pretend to be more than a name."""
    assert title(name) == shown


@given(text=st.text(st.sampled_from("`~\n a")))
def test_nothing_in_a_text_closes_its_block(text: str) -> None:
    """The fence is longer than any in it, and the text is there as it was."""
    lines = block("a", text).split("\n")
    fence = lines[1]
    assert (set(fence), lines[-1]) == ({"`"}, fence)
    assert len(fence) >= 3
    assert fence not in text
    assert "\n".join(lines[2:-1]) == text.removesuffix("\n")


@pytest.mark.parametrize("name", ["a.b c", "a.```", "a.verylongending", ".", "a."])
async def test_an_ending_that_is_none_names_no_language(name: str) -> None:
    """The line of the fence holds nothing but a word."""
    assert "\n```\nx\n```" in (await gather({name: b"x"})).text


@given(data=st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_any_bytes_have_a_kind(data: bytes) -> None:
    """And what is text has no control characters, and is what was sent."""
    kind, text = sort(data)
    assert kind is Kind.TEXT or not text
    assert not CONTROL.search(text)
    if kind is Kind.TEXT and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        assert text == data.decode().replace("\r\n", "\n").replace("\r", "\n")


def test_the_libraries_for_files_are_not_loaded_at_the_start() -> None:
    """Nor ever in the bot: only the programs that open files load them."""
    code = "import bot.prompts.files.attachments, sys; sys.exit(bool({'PIL', 'pypdf'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
