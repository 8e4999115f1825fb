"""The chat page as a person uses it, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State
from bot.domain.ports import Piece
from tests.support.browser import ENTER, SHIFT, Browser, browser, missing
from tests.support.webserver import PATIENCE, Web, web

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.asyncio(loop_scope="module")]

KEY = "a kéy with ☂"
WHOLE = "document.querySelector('.answer') && !document.querySelector('.growing')"
ALERT = "document.querySelector('[role=alert]')"
LONG = "x" * 300


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path) -> AsyncIterator[Web]:
    """A server on this machine, without a key, at an address that no page was loaded from before."""
    async with web(tmp_path) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One browser for all of these tests."""
    async with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def page(tab: Browser) -> Browser:
    """The browser, as large as on a desk."""
    await tab.shape(1200, 800)
    return tab


async def said(server: Web, page: Browser) -> list[str]:
    """What the conversation on the page consists of, as the API tells it."""
    shown = (await page.texts("#conversation-id"))[0]
    _, body = await server.call("GET", f"/conversations/{shown}")
    return [message["content"] for message in body["messages"]]


async def test_an_answer_grows_and_stays(server: Web, page: Browser) -> None:
    """Ask: words show while the model still writes, as markdown; a reload shows the same, and it is remembered."""
    more = asyncio.Event()
    server.model.say("The **sea", more, "** is:\n\n| how | much |\n|--|--|\n| deep | very |\n\n```py\nx = 1\n```")
    await page.go(server.url)
    await page.ask("How is the sea?")
    await page.until("document.querySelector('.growing strong')?.innerText === 'sea'")
    more.set()
    await page.until(WHOLE)
    shown = ".answer strong", ".answer td", ".answer pre code", ".question", "#conversation-id"
    before = [await page.texts(selector) for selector in shown]
    assert before[:4] == [["sea"], ["deep", "very"], ["x = 1"], ["How is the sea?"]]
    await page.reload()
    await page.until(WHOLE)
    assert [await page.texts(selector) for selector in shown] == before
    await page.ask("And the sky?")
    await page.until("document.querySelectorAll('.answer:not(.growing)').length === 2")
    assert server.model.told(-1)[0::2] == [
        "How is the sea?",
        "And the sky?",
    ]


async def test_a_new_conversation_is_empty_and_back_leads_to_the_old_one(server: Web, page: Browser) -> None:
    """New knows nothing of what was said before, has an id of its own, and the browser's Back shows the old one."""
    await page.go(server.url)
    await page.ask("first")
    await page.until(WHOLE)
    old = await page.texts("#conversation-id")
    await page.click("#new")
    assert await page.texts(".question") == []
    await page.until("document.querySelector('#conversation').hidden && !document.querySelector('#welcome').hidden")
    await page.ask("second")
    await page.until(WHOLE)
    assert await page.texts("#conversation-id") != old
    assert server.model.told(-1) == ["second"]
    await page.run("history.back()")
    await page.until("document.querySelector('.question')?.innerText === 'first'")
    assert await page.texts("#conversation-id") == old


async def test_stop_keeps_what_was_written(server: Web, page: Browser) -> None:
    """Stop ends the answer on the page and at the model; what was written is remembered, and one can go on."""
    server.model.say("The sea", asyncio.Event())
    await page.go(server.url)
    await page.ask("How is the sea?")
    await page.until("document.querySelector('.growing')?.innerText === 'The sea'")
    await page.click("#stop")
    await page.until(WHOLE)
    assert await page.texts(".answer .note") == ["Stopped."]
    await asyncio.wait_for(server.model.left.wait(), PATIENCE)
    await page.ask("Go on")
    await page.until("document.querySelectorAll('.answer:not(.growing)').length === 2")
    assert await said(server, page) == ["How is the sea?", "The sea", "Go on", "Hello."]


async def test_a_reload_in_the_middle_stops_the_answer(server: Web, page: Browser) -> None:
    """Who reloads while an answer is written ends it, and finds what was written."""
    server.model.say("The sea", asyncio.Event())
    await page.go(server.url)
    await page.ask("How is the sea?")
    await page.until("document.querySelector('.growing')?.innerText === 'The sea'")
    known = (await page.texts("#conversation-id"))[0]
    await page.reload()
    await asyncio.wait_for(server.model.left.wait(), PATIENCE)
    while not (await server.call("GET", f"/conversations/{known}"))[1]["messages"]:
        pass
    await page.reload()
    await page.until(WHOLE)
    assert await page.texts("#log > *") == ["How is the sea?", "The sea"]


async def test_an_error_is_shown_and_can_be_tried_again(server: Web, page: Browser) -> None:
    """A failure is one sentence in the conversation; Try again asks the same and takes it away."""
    server.model.say(ModelError(ModelFault.OVERLOAD, "the operator's detail"))
    await page.go(server.url)
    await page.ask("Hi")
    await page.until(ALERT)
    assert await page.texts(".error p") == ["The model is overloaded right now. Please try again in a minute."]
    await page.click(".error button")
    await page.until(WHOLE)
    assert await page.texts("[role=alert]") == []
    assert await page.texts(".question") == ["Hi"]


async def test_a_server_that_is_gone_is_told(server: Web, page: Browser) -> None:
    """Where nothing answers the page says so, in the conversation, and keeps the question."""
    await page.go(server.url)
    await page.until("document.querySelector('#reader').innerText")
    await server.end()
    await page.ask("Hi")
    await page.until(ALERT)
    assert await page.texts(".error p") == ["Parley cannot be reached. Is it running?"]
    assert await page.texts(".question") == ["Hi"]


async def test_an_ending_that_is_not_whole_is_told(server: Web, page: Browser) -> None:
    """An answer cut at the length limit has the note under it."""
    server.model.say("As long as", State.CUT)
    await page.go(server.url)
    await page.ask("Hi")
    await page.until(WHOLE)
    assert "limit" in (await page.texts(".answer .note"))[0]


async def test_thoughts_that_were_shown_are_taken_away(server: Web, page: Browser) -> None:
    """What a model only thought aloud leaves the page when its answer begins, and is not remembered."""
    more = asyncio.Event()
    server.model.say("A **secret** plan.\n\n- one\n", more, Piece(withdrawn=True), "The sea is ", "deep.")
    await page.go(server.url)
    await page.ask("Hi")
    await page.until("document.querySelector('.growing strong')?.innerText === 'secret'")
    more.set()
    await page.until(WHOLE)
    assert await page.texts(".answer .text") == ["The sea is deep."]
    assert await said(server, page) == ["Hi", "The sea is deep."]


async def test_forgetting_asks_once_more(server: Web, page: Browser) -> None:
    """Forget wants a second click; then the conversation is gone from the page and from the memory."""
    await page.go(server.url)
    await page.ask("Hi")
    await page.until(WHOLE)
    known = (await page.texts("#conversation-id"))[0]
    await page.click("#forget")
    assert (await server.call("GET", f"/conversations/{known}"))[0] == 200
    await page.click("#forget")
    await page.until("!document.querySelector('.question') && !location.hash")
    assert (await server.call("GET", f"/conversations/{known}"))[0] == 404


async def test_a_conversation_forgotten_elsewhere_is_begun_anew(server: Web, page: Browser) -> None:
    """The question is asked in a new conversation, under a line that says so; a reload then shows nothing stale."""
    await page.go(server.url)
    await page.ask("Hi")
    await page.until(WHOLE)
    known = (await page.texts("#conversation-id"))[0]
    await server.call("DELETE", f"/conversations/{known}")
    await page.ask("Still there?")
    await page.until("document.querySelectorAll('.answer:not(.growing)').length === 2")
    assert "forgotten" in (await page.texts(".divider"))[0]
    assert server.model.told(-1) == ["Still there?"]
    await page.go(f"{server.url}/#{known}")
    await page.until("document.querySelector('.divider')")
    assert await page.texts(".question") == []


async def test_the_key_is_asked_for(tmp_path: Path, page: Browser) -> None:
    """With a key the page asks for it, says when it does not fit, and keeps it in the tab, whatever its letters."""
    async with web(tmp_path, host="0.0.0.0", api_key=KEY) as server:
        await page.go(server.url)
        await page.until("document.querySelector('#lock').open")
        await page.type("#key", "wrong" + ENTER)
        await page.until("document.querySelector('.wrong')")
        await page.type("#key", KEY + ENTER)
        await page.until("!document.querySelector('#lock').open")
        await page.ask("Hi")
        await page.until(WHOLE)
        await page.reload()
        await page.until(WHOLE)
        assert await page.texts(".question") == ["Hi"]


@pytest.mark.parametrize("trial", [True, False])
async def test_the_trial_model_is_named_as_one(tmp_path: Path, page: Browser, trial: bool) -> None:
    """With the trial model the page says so, and which settings give a real one; who reads is always said."""
    async with web(tmp_path, trial=trial) as server:
        await page.go(server.url)
        await page.until("document.querySelector('#reader').innerText")
        assert await page.texts("#reader") == ["Read and answered by nobody but the test."]
        banner = "".join(await page.texts("#trial"))
        for text in ("tiny trial model", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            assert (text in banner) is trial


async def test_a_message_has_lines_and_a_limit(server: Web, page: Browser) -> None:
    """Shift and Enter begin a line; what is over 10,000 characters is counted and cannot be sent."""
    await page.go(server.url)
    await page.type("#message", f"one{SHIFT}{ENTER}{SHIFT}two")
    assert await page.run("return document.querySelector('#message').value") == "one\ntwo"
    write = (
        "const it = document.querySelector('#message'); it.value = arguments[0]; it.dispatchEvent(new Event('input'))"
    )
    await page.run(write, "🎉" * 10_002)
    assert await page.texts("#count") == ["2 characters too long."]
    await page.run(write, "🎉" * 10_000)
    await page.type("#message", ENTER)
    await page.until(WHOLE)
    assert len(server.model.prompts) == 1


@pytest.mark.parametrize("width", [320, 390, 1200])
async def test_nothing_is_wider_than_the_screen(server: Web, page: Browser, width: int) -> None:
    """On phones the page does not scroll sideways, whatever is said; wide tables and code scroll by themselves."""
    row = f"|{'cell|' * 30}\n"
    server.model.say(
        f"{LONG} `{LONG}` [{LONG}](https://example.com/{LONG})\n\n# {LONG}\n\n{row}|{'--|' * 30}\n{row}\n"
        f"```\n{LONG}\n```\n\n> {LONG}\n\n- {LONG}\n  1. {LONG}\n"
    )
    await page.shape(width, 800)
    await page.go(server.url)
    await page.ask(LONG)
    await page.until(WHOLE)
    wide: list[str] = await page.run(
        "const wide = (node) => node.scrollWidth > node.clientWidth && !node.closest('.table, .fence');"
        "const boxes = [document.documentElement, ...document.querySelectorAll('body, main, main *, header, footer')];"
        "return boxes.filter((node) => node.clientWidth && wide(node)).map((node) => node.outerHTML.slice(0, 80))"
    )
    assert wide == []
    for selector in ("#send", "#new", "#forget", "#message"):
        box: dict[str, float] = await page.run(
            "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector
        )
        assert box["left"] >= 0
        assert box["right"] <= width
        assert 0 < box["top"] < box["bottom"] <= 800


async def test_the_reader_may_scroll_while_the_answer_grows(server: Web, page: Browser) -> None:
    """The page follows a growing answer, but not for a reader who has scrolled up."""
    more = asyncio.Event()
    server.model.say("line\n\n" * 60, more, "line\n\n" * 60, "end")
    bottom = "const it = document.querySelector('main'); return it.scrollHeight - it.scrollTop - it.clientHeight"
    await page.go(server.url)
    await page.ask("Hi")
    await page.until("document.querySelectorAll('.growing p').length === 60")
    assert await page.run(bottom) < 2
    await page.run("document.querySelector('main').scrollTop = 0")
    more.set()
    await page.until(WHOLE)
    assert await page.run("return document.querySelector('main').scrollTop") == 0


async def test_nothing_is_loaded_from_elsewhere(server: Web, page: Browser) -> None:
    """Everything that the browser asks for is at the server's own address."""
    server.model.say("![a picture](https://example.com/x.png) https://example.com/")
    await page.go(server.url)
    await page.ask("Hi")
    await page.until(WHOLE)
    asked: list[dict[str, Any]] = await page.run("return performance.getEntriesByType('resource')")
    assert asked
    assert all(entry["name"].startswith(server.url) for entry in asked)
