"""The page in Chromium runs nothing that comes by its address, in errors, or with the name of the model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.domain.errors import ModelError, ModelFault
from tests.support.browser import Browser, browser, missing
from tests.support.hostile_texts import ELEMENTS, HOSTILE, LINKS
from tests.support.webserver import Web, web

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""
CALM = "return {ran: 'hacked' in window, broken: window.broken, names: document.querySelectorAll(arguments[0]).length}"
FOREIGN = (
    "iframe, object, embed, base, style, video, math, form:not([id]), input:not([id]), #log script, #log svg, #log img"
)
ORDINARY = "//evil.example/x"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Web]:
    """A server whose model calls itself something hostile."""
    async with web(tmp_path) as running:
        running.model.reader = "".join(ELEMENTS)
        yield running


@pytest.fixture
async def page(tmp_path: Path, server: Web) -> AsyncIterator[Browser]:
    """A browser that notes what the page's policy forbids."""
    async with browser(tmp_path / "profile") as opened:
        await opened.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        yield opened


async def calm(page: Browser) -> None:
    """Assert that nothing ran, nothing was tried that the policy forbids, and no element stands there by a text."""
    assert await page.run(CALM, FOREIGN) == {"ran": False, "broken": [], "names": 0}


async def test_nothing_in_an_address_runs(page: Browser, server: Web) -> None:
    """What stands behind # is the id of a conversation, shown as one or as unknown."""
    for text in (*ELEMENTS[::3], *LINKS[::4], ORDINARY, "../../metrics", "%00", "?x=1", "a" * 5000):
        await page.go(f"{server.url}/#{quote(text, safe='')}")
        await page.until("!location.hash || document.querySelector('.failure, .error, .answer, [role=alert]')")
        await calm(page)
        await page.go(f"{server.url}/#{text.replace(chr(10), '')}")
        await calm(page)


async def test_the_name_of_the_model_is_a_text(page: Browser, server: Web) -> None:
    """Whoever it says reads along is shown as it is written."""
    await page.go(server.url)
    await page.until("document.querySelector('#reader').textContent")
    assert "<script>" in (await page.run("return document.querySelector('#reader').textContent"))
    await calm(page)


async def test_a_title_and_a_break_off_are_texts(page: Browser, server: Web) -> None:
    """The first words of a conversation, and an answer that fails in their midst, whatever they are."""
    for text in HOSTILE[:8]:
        server.model.say(text, ModelError(ModelFault.NETWORK, text))
        await page.go(server.url)
        await page.ask(text.replace("\n", " "))
        await page.until("document.querySelector('.answer') && !document.querySelector('.growing')")
        await calm(page)
        assert "hacked" not in await page.run("return document.title")
