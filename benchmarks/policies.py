"""How bots of the field stream by edits, each written as a policy over the same port, and ours beside them.

They are re-implemented from the projects' public source: llmcord (one clock for the whole bot, awaited in the token
loop), Vercel's chat SDK (a 500 ms timer after each edit, nothing retried), ChatGPT-in-Slack (an edit for every 20
pieces, each in a thread of its own, two retries), nanobot (0.8 s for each reply, awaited in the token loop).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from functools import partial

from benchmarks.platform import SimulatedChannel
from bot.domain.errors import PlatformError
from bot.domain.messages import Page, State
from bot.domain.ports import Piece
from bot.replies.reply import Reply
from bot.replies.streaming import Halt, deliver

Tokens = AsyncGenerator[str, None]
Policy = Callable[[Tokens, SimulatedChannel], Awaitable[None]]


async def ours(tokens: Tokens, channel: SimulatedChannel) -> None:
    """The production code: `deliver`, `Reply` and `Pacer`."""

    async def pieces() -> AsyncGenerator[Piece, None]:
        async for token in tokens:
            yield Piece(token)
        yield Piece(end=State.DONE)

    await deliver(pieces(), Reply(channel), Halt())


def fixed_clock() -> Policy:
    """One second between any two calls of the bot, slept and awaited where the tokens are read.

    A message that is full is edited once more, and the next is posted right after it.
    """
    last = float("-inf")

    async def policy(tokens: Tokens, channel: SimulatedChannel) -> None:
        nonlocal last
        loop, text, part, posted = asyncio.get_running_loop(), "", 0, False

        async def edit() -> None:
            await asyncio.sleep(max(0.0, last + 1 - loop.time()))
            await _insist(partial(channel.edit, str(part), Page(text, part=part)), 5)

        async for token in tokens:
            if len(text) + len(token) > channel.page_size:
                await edit()
                text, part, posted = "", part + 1, False
            text += token
            if not posted:
                await _insist(partial(channel.post, Page(text, part=part)), 5)
                posted, last = True, loop.time()
            elif loop.time() - last >= 1:
                await edit()
                last = loop.time()
        await edit()
        last = loop.time()

    return policy


async def timer(tokens: Tokens, channel: SimulatedChannel) -> None:
    """A placeholder, then an edit 500 ms after the last one ended; a refusal is only logged, also of the last."""
    text, over = "", asyncio.Event()

    async def tick() -> None:
        sent = ""
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 0.5)
            if text != sent and not over.is_set():
                with suppress(PlatformError):
                    await channel.edit("0", Page(text))
                    sent = text

    with suppress(PlatformError):
        await channel.post(Page(""))
    ticking = asyncio.create_task(tick())
    async for token in tokens:
        text += token
    over.set()
    await ticking
    with suppress(PlatformError):
        await channel.edit("0", Page(text))


async def every_20(tokens: Tokens, channel: SimulatedChannel) -> None:
    """An edit for every 20 pieces, none waiting for another, each with two retries."""
    text, edits = "", []
    count = 0
    async for token in tokens:
        text += token
        count += 1
        if count == 20:
            await _insist(partial(channel.post, Page(text)), 3)
        elif count % 20 == 0:
            edits.append(asyncio.create_task(_insist(partial(channel.edit, "0", Page(text)), 3)))
    await asyncio.gather(*edits)
    await _insist(partial(channel.edit, "0", Page(text)), 3)


async def each_800ms(tokens: Tokens, channel: SimulatedChannel) -> None:
    """0.8 s for each reply, counted from before the edit, which is awaited where the tokens are read."""
    loop, text, last = asyncio.get_running_loop(), "", float("-inf")
    async for token in tokens:
        text += token
        now = loop.time()
        if now - last >= 0.8:
            first, last = last == float("-inf"), now
            page = Page(text)
            await _insist(partial(channel.post, page) if first else partial(channel.edit, "0", page), 5)
    await _insist(partial(channel.edit, "0", Page(text)), 5)


OURS, CLOCK = "Parley", "1 s global clock"
POLICIES: dict[str, Callable[[], Policy]] = {
    OURS: lambda: ours,
    CLOCK: fixed_clock,
    "500 ms timer": lambda: timer,
    "every 20 pieces": lambda: every_20,
    "0.8 s per reply": lambda: each_800ms,
}


async def _insist(call: Callable[[], Awaitable[object]], tries: int) -> None:
    """Make a call as the client libraries do: after a 429 sleep as told and send the same again."""
    for _ in range(tries):
        try:
            await call()
        except PlatformError as error:
            await asyncio.sleep(error.retry_after or 1)
        else:
            return
