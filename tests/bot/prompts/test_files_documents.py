"""Documents: where the limits of pages, bytes and characters lie, and which are read though they could be seen."""

from __future__ import annotations

import pytest

from bot.domain.model_info import Facts
from tests.support.files import BLIND, SEES, gather, lock, pdf


@pytest.mark.parametrize(("characters", "shown"), [(3, "Hel"), (5, "Hello"), (6, "Hello"), (8, "Hello\n\nW")])
async def test_a_long_document_is_cut(characters: int, shown: str) -> None:
    """And said to be, wherever the cut falls: also between two pages."""
    material = await gather({"a.pdf": pdf("Hello", "World")}, BLIND, characters=characters)
    assert material.text == f"File a.pdf:\n```\n{shown}\n```\n(Cut here: the rest of a.pdf is missing.)"
    assert material.notes == (f"I read only the first {len(shown)} characters of a.pdf.",)


async def test_documents_and_texts_share_the_limit() -> None:
    """What a text has used up is gone."""
    material = await gather({"a.txt": b"12345", "b.pdf": pdf("Hello")}, BLIND, characters=5)
    assert material.notes == ("There was no room left for b.pdf.",)


async def test_a_document_without_text_is_told() -> None:
    """It is a scan; nothing can be read of it."""
    material = await gather({"a.pdf": pdf("")}, BLIND)
    assert material.notes == ("a.pdf holds no text, and its pages cannot be shown to my model.",)


@pytest.mark.parametrize("facts", [SEES, BLIND])
async def test_a_document_that_only_forbids_copying_is_read(facts: Facts) -> None:
    """No provider takes one that is encrypted, so that its text is read, whatever the model can see."""
    material = await gather({"a.pdf": lock(pdf("Hello"), "")}, facts)
    assert (material.files, material.text) == ((), "File a.pdf:\n```\nHello\n```")


@pytest.mark.parametrize("facts", [SEES, BLIND])
async def test_a_document_with_a_password_is_told(facts: Facts) -> None:
    """It can be neither shown nor read."""
    material = await gather({"a.pdf": lock(pdf("Hello"), "open sesame")}, facts)
    assert (material.files, material.text) == ((), "")
    assert material.notes == ("a.pdf is locked with a password, so I cannot read it.",)


async def test_no_more_pages_are_shown_than_a_provider_takes() -> None:
    """A hundred in one request: of what goes beyond, the text is read."""
    material = await gather({"a.pdf": pdf(*["a"] * 60), "b.pdf": pdf(*["b"] * 41), "c.pdf": pdf(*["c"] * 40)}, SEES)
    assert [file.name for file in material.files] == ["a.pdf", "c.pdf"]
    assert material.text.startswith("File b.pdf:")
    assert material.notes == ()


async def test_no_more_bytes_are_shown_than_a_provider_takes() -> None:
    """A request has 32 MB, and base64 takes a third of that."""
    files = {"a.pdf": pdf("a", padding=12_000_000), "b.pdf": pdf("b", padding=9_000_000)}
    material = await gather(files, SEES, size=20_000_000)
    assert [file.name for file in material.files] == ["a.pdf"]
    assert material.text == "File b.pdf:\n```\nb\n```"


async def test_of_a_book_the_first_pages_are_read() -> None:
    """Five hundred; it is said that there were more."""
    material = await gather({"a.pdf": pdf(*["x"] * 501)}, BLIND)
    assert material.text.count("x") == 500
    assert material.notes == ("I read only the first 1,498 characters of a.pdf.",)


async def test_the_text_of_a_document_is_plain() -> None:
    """No control characters come out of it."""
    text = (await gather({"a.pdf": pdf("one\\000\\033\\177two")}, BLIND)).text
    assert text == "File a.pdf:\n```\nonetwo\n```"
