"""Calls of Discord's REST API: what refusals mean, and whom a limit holds back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.discord import Settings
from adapters.discord.api.client import connect
from adapters.discord.api.rate_limits import REMEMBERED, Limits
from adapters.discord.outbound import indicators
from adapters.discord.outbound.channel import DiscordChannel
from adapters.discord.outbound.files import download
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment, Page
from bot.pacing.pacer import Pacer, Urgency
from tests.loopback.discord import GENERAL, RANDOM, TALK, FakeDiscord
from tests.support import clock
from tests.support.discord_app import settings, talking


async def goes(pacer: Pacer) -> bool:
    """Whether a call may go now."""
    seat = pacer.seat(lambda: 1.0)
    turn = asyncio.ensure_future(seat.turn(Urgency.FIRST))
    await asyncio.sleep(0)
    went = turn.done()
    turn.cancel()
    seat.leave()
    return went


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, 10008, PlatformFault.GONE),
        (404, 10003, PlatformFault.GONE),
        (404, 0, PlatformFault.GONE),
        (403, 50013, PlatformFault.FORBIDDEN),
        (403, 50001, PlatformFault.FORBIDDEN),
        (403, 50007, PlatformFault.FORBIDDEN),
        (400, 50083, PlatformFault.FORBIDDEN),
        (400, 50278, PlatformFault.FORBIDDEN),
        (429, 30046, PlatformFault.REJECTED),
        (401, 0, PlatformFault.FORBIDDEN),
        (400, 50035, PlatformFault.REJECTED),
        (400, 200000, PlatformFault.MODERATED),
        (403, 20009, PlatformFault.MODERATED),
        (500, 0, PlatformFault.NETWORK),
        (503, 0, PlatformFault.NETWORK),
    ],
)
async def test_refusals_are_told_apart(status: int, code: int, expected: PlatformFault) -> None:
    """By Discord's code first, and the error says it."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        posted = await channel.post(Page("one"))
        discord.fail("edit", 2, status=status, body={"code": code, "message": "no", "retry_after": 0.1})
        with pytest.raises(PlatformError) as caught:
            await channel.edit(posted, Page("two"))
        assert caught.value.fault is expected
        assert (str(code) if code else str(status)) in str(caught.value)


@pytest.mark.parametrize("fault", [{"cut": True}, {"lose": True}, {"status": 502}])
async def test_a_lost_connection_is_a_fault_of_the_network(fault: dict[str, Any]) -> None:
    """So is a page of a proxy where JSON should be."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.fail("post", **fault)
        with pytest.raises(PlatformError) as caught:
            await channel.post(Page("one"))
        assert caught.value.fault is PlatformFault.NETWORK
        assert discord.token not in str(caught.value)


async def test_posts_and_edits_of_a_channel_share_one_limit() -> None:
    """All replies there; another channel has its own."""
    async with FakeDiscord() as discord, connect(settings(discord)) as rest:
        one, two = (DiscordChannel(rest, settings(discord), GENERAL, question) for question in "12")
        other = DiscordChannel(rest, settings(discord), RANDOM, "3")
        assert one.posts is one.edits is two.posts
        assert other.posts is not one.posts
        assert (one.posts.window.limit, one.posts.window.period) == (5, 5.0)


async def test_the_limit_is_learned_from_the_headers() -> None:
    """Of posts and of edits."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.limits.tighten("fixed", limit=3, period=7.0)
        posted = await channel.post(Page("one"))
        assert channel.posts.window.limit == 3
        discord.limits.tighten("fixed", limit=4, period=7.0)
        await channel.edit(posted, Page("two"))
        assert channel.posts.window.limit == 4


@pytest.mark.parametrize("kind", ["sliding", "fixed"])
async def test_the_kind_of_a_limit_is_learned_once(kind: str) -> None:
    """One call in a channel tells, and every channel that is spoken in after that begins with it."""
    async with FakeDiscord() as discord, connect(settings(discord)) as rest:
        discord.limits.tighten(kind)
        channel = DiscordChannel(rest, settings(discord), GENERAL, discord.say(content="Hello").id)
        await channel.post(Page("one"))
        other = DiscordChannel(rest, settings(discord), RANDOM, "3")
        assert other.posts is not channel.posts
        assert other.posts.window.kind == kind


@pytest.mark.parametrize("strict", [True, False])
async def test_a_429_stops_the_channel_for_as_long_as_it_says(strict: bool) -> None:
    """Discord's own, and Cloudflare's; the call is made once."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.strict = strict
        discord.limits.tighten("sliding", limit=1, period=60.0)
        await channel.post(Page("one"))
        with pytest.raises(PlatformError) as caught:
            await channel.post(Page("two"))
        assert caught.value.fault is PlatformFault.RATE
        assert 55 < (caught.value.retry_after or 0) <= 60
        assert len(discord.called("post")) == 2
        assert not await goes(channel.posts)


async def test_a_429_without_json_is_one_too() -> None:
    """Its header says how long."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        discord.fail("post", status=429, body="<html>slow down</html>", headers={"Retry-After": "9"})
        with pytest.raises(PlatformError) as caught:
            await channel.post(Page("one"))
        assert (caught.value.fault, caught.value.retry_after) == (PlatformFault.RATE, 9.0)


async def test_the_limit_of_the_whole_bot_stops_every_channel() -> None:
    """Those that are not open yet too."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _), connect(settings(discord)) as rest:
        here = DiscordChannel(rest, settings(discord), GENERAL, "1")
        there = DiscordChannel(rest, settings(discord), RANDOM, "2")
        slow = {"message": "slow down", "retry_after": 30.0, "global": True}
        discord.fail("post", status=429, body=slow)
        with pytest.raises(PlatformError):
            await here.post(Page("one"))
        later = DiscordChannel(rest, settings(discord), TALK, "3")
        assert not any([await goes(blocked.posts) for blocked in (here, there, later)])
        assert await goes(channel.posts)


def test_limits_are_dropped_some_time_after_nobody_speaks_there() -> None:
    """The latest are remembered, for their last calls may still count."""

    async def speak() -> None:
        limits = Limits()
        first = limits.pacer("first")
        assert limits.pacer("first") is first
        kept = id(first)
        del first
        assert id(limits.pacer("first")) == kept
        for number in range(REMEMBERED + 1):
            limits.pacer(str(number))
        assert "first" not in limits._pacers

    clock.run(speak())


async def test_calls_say_who_they_are_from() -> None:
    """As Discord wants it."""
    seen: list[Mapping[str, str]] = []

    async def look(request: web.Request) -> web.Response:
        seen.append(request.headers)
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/users/@me", look)
    async with TestServer(app, host="127.0.0.1") as server:
        there = Settings.model_validate({"token": "secret", "api_base_url": str(server.make_url(""))})
        async with connect(there) as rest:
            await rest.call("GET", "/users/@me")
    assert seen[0]["User-Agent"].startswith("DiscordBot (https://")
    assert seen[0]["Authorization"] == "Bot secret"


async def test_a_session_that_is_closed_is_a_fault_of_the_network() -> None:
    """Not a bug: calls, files and signs over it are refused, or are nothing."""
    async with FakeDiscord() as discord:
        async with connect(settings(discord)) as rest:
            pass
        with pytest.raises(PlatformError) as caught:
            await rest.call("GET", "/users/@me")
        assert caught.value.fault is PlatformFault.NETWORK
        file = Attachment("a.txt", "text/plain", 1, f"{discord.origin}/attachments/1/1/a.txt")
        with pytest.raises(PlatformError) as caught:
            await download(rest, file, 10)
        assert caught.value.fault is PlatformFault.NETWORK
        showing = asyncio.create_task(indicators.typing(rest, "1"))
        await asyncio.wait((showing,), timeout=0.01)
        showing.cancel()
        await asyncio.wait((showing,))
        assert showing.cancelled()
