"""How every model behind a provider's API fails: which fault, what the operator reads, and never the key."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

import pytest

from bot.domain.errors import ModelError, ModelFault
from bot.domain.messages import State, Usage
from bot.domain.ports import Piece
from tests.contracts.model import listen, prompt, text
from tests.contracts.remote import Maker, Names, Remote, fault
from tests.loopback.provider import Provider

SHORT = 0.1
AMPLE = 2.0
"""Seconds enough for a question to reach a loopback server on the slowest machine."""
LONG = 30.0


class FailingContract(Names):
    """The facts; a provider brings the fixtures `provider` and `make`."""

    @pytest.fixture
    def model(self, make: Maker) -> Remote:
        """A patient model."""
        return make()

    async def test_a_wrong_key_is_told_without_the_key(self, make: Maker, caplog: pytest.LogCaptureFixture) -> None:
        """The operator reads which variable to set; no part of the key is in the error, the log, or a repr."""
        caplog.set_level(logging.DEBUG)
        model = make(key="sk-proj-wrong0123456789secret")
        error = await fault(model)
        assert error.fault is ModelFault.KEY
        assert f"Set {model.variable}" in str(error)
        shown = f"{error!s} {error!r} {error.__cause__!r} {model!r} {vars(model)!r} {caplog.text}"
        assert "wrong" not in shown
        assert "secret" not in shown.replace("SecretStr", "")

    async def test_a_key_that_is_none_is_a_key_fault(self, make: Maker) -> None:
        """A key that was pasted with a line break or typographic quotes cannot even be sent."""
        for key in ("“test-key”", "test\nkey"):
            assert (await fault(make(key=key))).fault is ModelFault.KEY

    async def test_a_model_that_is_not_there_is_told(self, make: Maker) -> None:
        """With its name and the setting."""
        error = await fault(make(model="gone-model"))
        assert (error.fault, "gone-model" in str(error), "bot.model" in str(error)) == (ModelFault.MODEL, True, True)

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [({}, None), ({"Retry-After": "7"}, 7), ({"retry-after-ms": "1500"}, 1.5), ({"Retry-After": "soon"}, None)],
    )
    async def test_too_many_questions_is_told_with_the_wait(
        self, provider: Provider, model: Remote, headers: dict[str, str], seconds: float | None
    ) -> None:
        """RATE, with the provider's own words and its seconds; nothing is asked again by itself."""
        provider.refuse(429, self.limited, "Slow down, please.", headers)
        error = await fault(model)
        assert (error.fault, error.retry_after) == (ModelFault.RATE, seconds)
        assert "status 429: Slow down, please. " in str(error)
        assert len(provider.requests) == 1

    @pytest.mark.parametrize("status", [500, 502, 503, 529])
    async def test_a_provider_in_trouble_is_overloaded(self, provider: Provider, model: Remote, status: int) -> None:
        """With the wait, where it says one."""
        provider.refuse(status, self.overloaded, "Overloaded", {"Retry-After": "2"})
        error = await fault(model)
        assert (error.fault, error.retry_after) == (ModelFault.OVERLOAD, 2)

    async def test_a_server_that_is_not_there_is_named(self, make: Maker) -> None:
        """The operator reads which address was tried."""
        error = await fault(make(base_url="http://127.0.0.1:1"))
        assert error.fault is ModelFault.NETWORK
        assert "http://127.0.0.1:1 cannot be reached" in str(error)

    async def test_an_address_with_a_password_is_not_told(self, make: Maker) -> None:
        """Nobody can be reached by one beside a key; the operator reads the address without it."""
        error = await fault(make(base_url="http://me:swordfish@127.0.0.1:1"))
        assert error.fault is ModelFault.NETWORK
        assert "http://127.0.0.1:1 cannot be reached" in str(error)
        assert "swordfish" not in str(error)

    async def test_a_connection_that_was_dropped_is_opened_anew(self, provider: Provider, model: Remote) -> None:
        """A server may close an idle connection at the moment when it is used: that is no failure, but twice is."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.drop()
        assert text(await reading)
        scripts = [provider.script(), provider.script()]
        failing = asyncio.create_task(fault(model))
        for script in scripts:
            await script.drop()
        assert (await failing).fault is ModelFault.NETWORK

    async def test_silence_is_not_waited_for(self, provider: Provider, make: Maker) -> None:
        """Without a response the question fails in time, and the connection is closed."""
        model = make(timeout=LONG, first_timeout=AMPLE)
        await listen(model)
        script = provider.script()
        error = await fault(model)
        assert (error.fault, "no answer for 2 seconds" in str(error)) == (ModelFault.TIMEOUT, True)
        await script.gone()

    async def test_the_first_piece_may_take_longer(self, provider: Provider, make: Maker) -> None:
        """A limit of its own for it; from then on the usual one."""
        script = provider.script()
        async with aclosing(make(timeout=SHORT, first_timeout=LONG).stream(prompt())) as pieces:
            reading = asyncio.ensure_future(anext(pieces))
            await script.raw(b"")
            done, _ = await asyncio.wait({reading}, timeout=2 * SHORT)
            assert not done
            await script.send("Once")
            assert await reading == Piece("Once")
            with pytest.raises(ModelError, match=r"the answer stood still for 0\.1 seconds") as caught:
                await anext(pieces)
        assert caught.value.fault is ModelFault.TIMEOUT

    @pytest.mark.parametrize("manner", ["break", "end", "garbage"])
    async def test_half_an_answer_is_told(self, provider: Provider, model: Remote, manner: str) -> None:
        """The pieces are there, then CUT: the connection broke, it ended without an end, or an event was damaged."""
        script = provider.script()
        async with aclosing(model.stream(prompt())) as pieces:
            reading = asyncio.ensure_future(anext(pieces))
            await script.send("Once")
            assert await reading == Piece("Once")
            match manner:
                case "break":
                    await script.drop()
                case "end":
                    script.close()
                case "garbage":
                    await script.raw(b"data: {oops\n\n")
            with pytest.raises(ModelError) as caught:
                await anext(pieces)
        assert caught.value.fault is ModelFault.CUT

    async def test_an_error_within_the_answer_is_told(self, provider: Provider, model: Remote) -> None:
        """It has no status; its type says what it is, and its words are passed on."""
        script = provider.script()
        failing = asyncio.create_task(fault(model))
        await script.fail(self.overloaded, "Too much going on here")
        error = await failing
        assert (error.fault, "Too much going on here" in str(error)) == (ModelFault.OVERLOAD, True)

    @pytest.mark.parametrize(
        ("thought", "words"), [("", "gave an empty answer"), ("Hm.", "thought, but did not answer")]
    )
    async def test_an_answer_without_text_is_none(
        self, provider: Provider, model: Remote, thought: str, words: str
    ) -> None:
        """The operator reads whether the model was silent, or only thought."""
        script = provider.script()
        failing = asyncio.create_task(fault(model))
        if thought:
            await script.think(thought)
        await script.send(" \n")
        await script.end()
        error = await failing
        assert (error.fault, words in str(error)) == (ModelFault.EMPTY, True)

    async def test_thoughts_up_to_the_limit_are_told_and_counted(self, provider: Provider, model: Remote) -> None:
        """It is cut without a word: asked again, it would be the same, and cost the same again."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.think("Hm.")
        await script.end(self.cut)
        *_, last = await reading
        assert (last.end, (last.usage or Usage()).output, text([last])) == (State.CUT, 1, "")

    async def test_a_web_page_is_no_answer(self, provider: Provider, make: Maker) -> None:
        """A wrong address often gives one: the operator reads which it is."""
        provider.respond("<!doctype html><title>Welcome</title>", "text/html")
        model = make()
        error = await fault(model)
        assert (error.fault, model.url in str(error)) == (ModelFault.REQUEST, True)

    async def test_a_wrong_path_is_told(self, make: Maker) -> None:
        """An address whose server does not know the API: the address is doubted, not the model."""
        model = make(base_url=f"{make().url}/wrong")
        error = await fault(model)
        assert (error.fault, f"Is {model.url} the address" in str(error)) == (ModelFault.REQUEST, True)

    async def test_a_temperature_that_is_refused_is_left_out(self, provider: Provider, make: Maker) -> None:
        """Newer models refuse it: the question is asked without, and so is every later one of that server's model."""
        provider.refuses = frozenset({"temperature"})
        first, second = make(), make()
        for model, asked in ((first, 2), (first, 3), (second, 4)):
            assert text(await listen(model, prompt(temperature=0.5)))
            assert provider.asked == asked
        assert "temperature" not in provider.requests[-1]

    async def test_a_temperature_out_of_range_is_told(self, provider: Provider, model: Remote) -> None:
        """That is a mistake in the settings: the operator reads which."""
        provider.refuse(400, "invalid_request_error", "temperature: range: 0..1")
        error = await fault(model, prompt(temperature=1.5))
        assert (error.fault, "bot.temperature" in str(error)) == (ModelFault.REQUEST, True)

    async def test_the_request_is_named(self, provider: Provider, model: Remote) -> None:
        """Support asks for its id: it stands in the error, whether the answer was refused or broke off."""
        provider.refuse(500, self.overloaded, "Oops", {"x-request-id": "req_011CQabcdefghijklmnopqrstuvwxyz012345"})
        assert "Oops (request req_011CQabcdefghijklmnopqrstuvwxyz012345). " in str(await fault(model))
        provider.refuse(500, self.overloaded, "Oops", {"x-request-id": "not an id\u00a0" + "x" * 200})
        assert "request" not in str(await fault(model)).partition("Oops")[2]

    async def test_a_long_message_is_shortened(self, provider: Provider, model: Remote) -> None:
        """One line of the log, not a page."""
        provider.refuse(400, "", "no\n" * 10_000)
        error = await fault(model)
        assert len(str(error)) < 600
        assert "\n" not in str(error)
