"""What every model behind a provider's API holds to while it answers; run against the loopback providers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from bot.domain.errors import ModelError
from bot.domain.messages import State, Usage
from bot.domain.ports import Piece, Prompt
from bot.models.protocols.http_model import TAIL, RemoteModel
from tests.contracts.model import SYSTEM, ModelContract, listen, prompt, text
from tests.loopback.provider import Provider

Remote = RemoteModel[Any]
Maker = Callable[..., Remote]
"""Makes a model of the provider; keywords replace arguments of its constructor. The fixture closes them all."""


async def fault(model: Remote, asked: Prompt | None = None) -> ModelError:
    """The error that an answer ends with."""
    with pytest.raises(ModelError) as caught:
        await listen(model, asked)
    return caught.value


class Names:
    """What a provider calls things; its tests say it."""

    cut = ""
    refusal = ""
    limited = ""
    overloaded = ""
    missing = ""


class RemoteContract(Names, ModelContract):
    """The facts; a provider brings the fixtures `provider` and `make`."""

    @pytest.fixture
    def model(self, make: Maker) -> Remote:
        """A patient model."""
        return make()

    async def test_what_is_said_is_passed_on_as_it_is(self, provider: Provider, model: Remote) -> None:
        """Roles and texts to the letter, the model's own name, and the bound."""
        await listen(model, prompt("Ann: hï 🧑‍🚀\n", "Hello.", "Ben: me too", tokens=7))
        (body,) = provider.requests
        spoken = [(message["role"], message["content"]) for message in body["messages"]]
        assert spoken[-3:] == [("user", "Ann: hï 🧑‍🚀\n"), ("assistant", "Hello."), ("user", "Ben: me too")]
        assert SYSTEM in (body.get("system"), body["messages"][0]["content"])
        assert (body["model"], body["max_tokens"], "temperature" in body) == ("test-model", 7, False)

    async def test_half_a_character_is_not_sent(self, provider: Provider, model: Remote) -> None:
        """Chat platforms let a lone surrogate through; it must not break the request."""
        await listen(model, prompt("\ud83d?", system="\ud83d!"))
        assert "?!" in str(provider.requests[0])
        assert provider.requests[0]["messages"][-1]["content"] == "??"

    async def test_an_empty_persona_is_not_sent(self, provider: Provider, model: Remote) -> None:
        """Some servers refuse an empty one."""
        await listen(model, prompt(system=""))
        assert "system" not in provider.requests[0]
        assert len(provider.requests[0]["messages"]) == 1

    async def test_the_temperature_is_sent_where_it_is_set(self, provider: Provider, model: Remote) -> None:
        """Also where it is 0."""
        await listen(model, prompt(temperature=0))
        assert provider.requests[0]["temperature"] == 0

    async def test_a_piece_is_there_as_soon_as_it_is_sent(self, provider: Provider, model: Remote) -> None:
        """Nothing is held back until more comes; the end waits for the end."""
        script = provider.script()
        async with aclosing(model.stream(prompt())) as pieces:
            for word in ("Once", " upon", " a time"):
                reading = asyncio.ensure_future(anext(pieces))
                await script.send(word)
                assert await reading == Piece(word)
            await script.end()
            assert [piece.end async for piece in pieces] == [State.DONE]

    async def test_characters_may_be_cut_anywhere(self, provider: Provider, model: Remote) -> None:
        """The network cuts between bytes: a character and an event come whole all the same."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.raw(b"")
        data = (await script.words()).text("naïve 🧑‍🚀")
        for byte in range(len(data)):
            await script.raw(data[byte : byte + 1])
        await script.end()
        assert text(await reading) == "naïve 🧑‍🚀"

    async def test_thoughts_are_not_the_answer(self, provider: Provider, model: Remote) -> None:
        """They come as reasoning, before the text."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.think("Hm.")
        await script.send("Yes.")
        await script.end()
        assert (await reading)[:2] == [Piece(reasoning="Hm."), Piece("Yes.")]

    async def test_an_answer_at_the_limit_is_cut(self, provider: Provider, model: Remote) -> None:
        """It ends CUT, with its text and its count."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.send("Once upon a")
        await script.end(self.cut)
        piece, last = await reading
        assert (piece.text, last.end, (last.usage or Usage()).output) == ("Once upon a", State.CUT, 1)

    @pytest.mark.parametrize("begun", [True, False])
    async def test_a_refusal_is_an_ending(self, provider: Provider, model: Remote, begun: bool) -> None:
        """With some text, or without any: it is no error, and no empty answer."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        if begun:
            await script.send("Well")
        await script.end(self.refusal)
        pieces = await reading
        assert (text(pieces), pieces[-1].end) == ("Well" if begun else "", State.REFUSED)

    async def test_a_whole_answer_is_one_too(self, provider: Provider, model: Remote) -> None:
        """Some servers do not stream: the answer comes as one document, in the end."""
        provider.streams = False
        pieces = await listen(model, prompt("Hi"))
        assert (text(pieces), pieces[-1].end) == ("You said: Hi", State.DONE)
        assert (pieces[-1].usage or Usage()).output == 3

    async def test_what_breaks_after_the_end_breaks_nothing(self, provider: Provider, model: Remote) -> None:
        """The answer is whole once its end is said, whatever becomes of the connection then."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.send("Yes.")
        end = (await script.words()).end((await script.words()).DONE)
        await script.raw(end[: end.rindex(b"data:")])
        await script.drop()
        pieces = await reading
        assert (text(pieces), pieces[-1].end) == ("Yes.", State.DONE)

    @pytest.mark.parametrize("after", ["text", "error", "odd", "open"])
    async def test_what_comes_after_the_end_takes_nothing_back(
        self, provider: Provider, model: Remote, after: str
    ) -> None:
        """Damage, an error, an odd event, or a connection that stays open: half a second is left for usage."""
        assert TAIL == 0.5
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.send("Yes.")
        words = await script.words()
        end = words.end(words.DONE)
        await script.raw(end[: end.index(b"\n\n", end.index(b"reason")) + 2])
        more = {"text": b"data: {oops\n\n", "error": words.failure(self.overloaded, "late"), "odd": b"data: [1]\n\n"}
        await script.raw(more.get(after, b""))
        pieces = await reading
        assert (text(pieces), pieces[-1].end) == ("Yes.", State.DONE)

    async def test_events_of_no_shape_cost_nothing(self, provider: Provider, model: Remote) -> None:
        """What brings no text is passed over: other JSON than an object, a sign of life that is none."""
        script = provider.script()
        reading = asyncio.create_task(listen(model))
        await script.send("Ye")
        for odd in (b"[1]", b"null", b'"ping"', b"keep-alive", b"{}", b'{"type": 5, "choices": 7}', b"7"):
            await script.raw(b"data: " + odd + b"\n\n")
        await script.send("s.")
        await script.end()
        assert text(await reading) == "Yes."

    async def test_an_answer_has_an_end_of_its_own(self, provider: Provider, model: Remote) -> None:
        """A server that ignores the limit is left a little above it: the answer is cut, its tokens are counted."""
        script = provider.script()
        reading = asyncio.create_task(listen(model, prompt(tokens=100)))
        for _ in range(400):
            await script.send(" word")
        pieces = await reading
        assert pieces[-1].end is State.CUT
        assert 100 <= text(pieces).count("word") <= 150
        await script.gone()

    async def test_what_comes_at_once_is_shown(self, provider: Provider, model: Remote) -> None:
        """A server that streams in large chunks has said it already; the end is the one that it names."""
        script = provider.script()
        reading = asyncio.create_task(listen(model, prompt(tokens=100)))
        await script.send("word " * 1000)
        await script.end()
        pieces = await reading
        assert (len(text(pieces)), pieces[-1].end) == (5000, State.DONE)

    @pytest.mark.parametrize("manner", ["close", "leave", "cancel"])
    async def test_leaving_ends_the_connection(self, provider: Provider, model: Remote, manner: str) -> None:
        """The provider sees at once that nobody listens any more: it stops, and nobody pays for more."""
        script = provider.script()
        heard = asyncio.Event()

        async def hear() -> None:
            pieces = model.stream(prompt())
            async for _ in pieces:
                heard.set()
                if manner == "close":
                    await pieces.aclose()
                elif manner == "leave":
                    break

        hearing = asyncio.create_task(hear())
        await script.send("Once")
        await heard.wait()
        if manner == "cancel":
            hearing.cancel()
        await script.gone()
        await asyncio.wait({hearing})
        assert text(await listen(model))

    async def test_one_connection_serves_answer_after_answer(self, provider: Provider, model: Remote) -> None:
        """No handshake before each: the connection is read to its end and kept."""
        for _ in range(3):
            await listen(model)
        assert len(provider.connections) == 1

    async def test_no_proxy_stands_before_this_machine(self, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy in the environment is for the network: a server on loopback is asked directly."""
        for variable in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(variable, "http://127.0.0.1:1")
        assert text(await listen(make()))

    async def test_it_can_be_made_ready_beforehand(self, provider: Provider, make: Maker) -> None:
        """`warm` asks nothing, may be called at any time, and is not needed."""
        model = make()
        await asyncio.gather(model.warm(), model.warm())
        assert provider.requests == []
        assert text(await listen(model))
        await model.warm()

    async def test_it_can_be_closed_at_any_time(self, make: Maker) -> None:
        """Before the first question, and twice."""
        model = make()
        await model.close()
        await model.warm()
        await model.close()
        await model.close()
