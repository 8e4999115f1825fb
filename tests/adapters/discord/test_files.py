"""Files on Discord: only Discord's own are fetched, without a token, and no more of one than was asked for."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientTimeout

from adapters.discord import Settings
from adapters.discord.api.client import Rest, connect
from adapters.discord.outbound import files
from adapters.discord.outbound.channel import DiscordChannel
from adapters.shared.download import PATIENCE, admit
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment, Page
from bot.domain.ports import Library
from tests.loopback.discord import GENERAL, FakeDiscord
from tests.loopback.discord.rules import FILE
from tests.loopback.discord.state import SILENT
from tests.support.discord_app import settings, talking

MOST = 1000


def sent(discord: FakeDiscord, data: bytes = b"content", name: str = "a b.txt") -> Attachment:
    """A file that somebody sent, as the adapter hears of it."""
    (file,) = discord.say(content="look", files=[(name, data, "text/plain")]).attachments
    return Attachment(file["filename"], file["content_type"], file["size"], file["url"])


@asynccontextmanager
async def fetching() -> AsyncIterator[tuple[FakeDiscord, DiscordChannel]]:
    """A Discord and a channel in it."""
    async with FakeDiscord() as discord, talking(discord) as (channel, _):
        yield discord, channel


async def refusal(channel: DiscordChannel, file: Attachment, most: int = MOST) -> PlatformError:
    """Why a file is not fetched."""
    with pytest.raises(PlatformError) as caught:
        await channel.download(file, most)
    return caught.value


async def test_a_file_is_fetched_without_the_token() -> None:
    """The loopback fails whoever shows one; the bot says its name, as in every call."""
    async with fetching() as (discord, channel):
        assert isinstance(channel, Library)
        assert await channel.download(sent(discord), MOST) == b"content"
        assert await channel.download(sent(discord, b"x" * MOST), MOST) == b"x" * MOST
        assert len(discord.called("download")) == 2


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cdn.discordapp.com/attachments/1/2/a",
        "http://cdn.discordapp.com/attachments/1/2/a",
        "http://cdn.discordapp.com:443/attachments/1/2/a",
        "https://cdn.discordapp.com:8443/attachments/1/2/a",
        "https://ann:secret@cdn.discordapp.com/attachments/1/2/a",
        "https://cdn.discordapp.com.evil.example/a",
        "https://cdn.discordapp.com@evil.example/a",
        "https://evil.example/cdn.discordapp.com/a",
        "https://evil.example#@cdn.discordapp.com/a",
        "https://evilcdn.discordapp.com/a",
        "https://discord.com/api/v10/users/@me",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://cdn.discordapp.com:port/a",
        "file:///etc/passwd",
        "data:text/plain,a",
        "\x00",
    ],
)
async def test_nothing_is_fetched_from_elsewhere(url: str) -> None:
    """Only https, only the two hosts that Discord keeps files on."""
    async with connect(Settings.model_validate({"token": "t"})) as rest:
        with pytest.raises(PlatformError) as caught:
            await files.download(rest, Attachment("a", "text/plain", 1, url), MOST)
    assert caught.value.fault is PlatformFault.REJECTED


@pytest.mark.parametrize("host", ["cdn.discordapp.com", "media.discordapp.net", "CDN.discordapp.com"])
def test_discord_s_own_hosts_are_asked(host: str) -> None:
    """With the signature that the address carries."""
    url = f"https://{host}/attachments/1/2/a%20b.txt?ex=1&is=2&hm=3"
    assert str(admit(url, files.HOSTS)) == url.lower()


async def test_another_server_on_the_same_host_is_another() -> None:
    """It hears nothing; neither does the one that a file leads on to, for a redirect is a refusal."""
    async with FakeDiscord() as other, fetching() as (discord, channel):
        assert (await refusal(channel, sent(other))).fault is PlatformFault.REJECTED
        discord.fail("download", status=302, headers={"Location": sent(other).url})
        assert (await refusal(channel, sent(discord))).fault is PlatformFault.REJECTED
        assert (len(discord.calls), len(other.calls)) == (1, 0)


async def test_a_file_that_says_it_is_too_large_is_not_asked_for() -> None:
    """Whatever it is."""
    async with fetching() as (discord, channel):
        error = await refusal(channel, sent(discord, b"x" * (MOST + 1)))
        assert (error.fault, str(error)) == (PlatformFault.REJECTED, "a file has more than 1000 bytes")
        assert not discord.called("download")


async def test_a_file_that_lies_about_its_size_is_cut_off() -> None:
    """By its length where the answer says it, while it comes where it does not, and after it is unpacked."""
    async with fetching() as (discord, channel):
        large, never = replace(sent(discord, b"x" * (MOST + 1)), size=1), asyncio.Event()
        discord.fail("download", late=never)
        assert (await refusal(channel, large)).fault is PlatformFault.REJECTED
        never.set()
        discord.fail("download", endless=True)
        assert (await refusal(channel, replace(large, size=1))).fault is PlatformFault.REJECTED
        bomb = gzip.compress(b"\0" * 50_000_000)
        discord.fail("download", status=200, body=bomb, headers={"Content-Encoding": "gzip"})
        tracemalloc.start()
        assert (await refusal(channel, replace(large, size=1), len(bomb))).fault is PlatformFault.REJECTED
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()


async def test_a_connection_goes_on_after_a_file_that_was_cut_off() -> None:
    """What is left of it is not taken for the next answer."""
    async with fetching() as (discord, channel):
        await refusal(channel, replace(sent(discord, b"x" * 9_000_000), size=1))
        assert await channel.download(sent(discord), MOST) == b"content"
        assert await channel.post(Page("one"))


@pytest.mark.parametrize("patience", [ClientTimeout(sock_read=0.1), ClientTimeout(total=0.1)])
async def test_a_file_that_does_not_come_is_given_up(patience: ClientTimeout) -> None:
    """One that stops in the middle, and one that goes on and on."""
    stops = asyncio.Event()
    async with FakeDiscord() as discord, connect(settings(discord)) as rest:
        file = sent(discord)
        discord.fail("download", late=stops, endless=patience.sock_read is None)
        with pytest.raises(PlatformError) as caught:
            await files.download(rest, file, 10**9, patience)
        assert caught.value.fault is PlatformFault.NETWORK
        stops.set()


def test_nobody_waits_for_a_file_for_long() -> None:
    """Neither for the next byte of it nor for all of it."""
    assert 0 < (PATIENCE.sock_read or 0) < (PATIENCE.total or 0) <= 30


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 404}, PlatformFault.GONE),
        ({"status": 403}, PlatformFault.FORBIDDEN),
        ({"status": 206, "body": b"half"}, PlatformFault.REJECTED),
        ({"status": 304}, PlatformFault.REJECTED),
        ({"status": 429, "headers": {"Retry-After": "7"}}, PlatformFault.RATE),
        ({"status": 503}, PlatformFault.NETWORK),
        ({"cut": True}, PlatformFault.NETWORK),
        ({"lose": True}, PlatformFault.NETWORK),
        ({"status": 200, "body": b"no gzip", "headers": {"Content-Encoding": "gzip"}}, PlatformFault.NETWORK),
    ],
)
async def test_refusals_of_a_file_are_told_apart(fault: dict[str, Any], expected: PlatformFault) -> None:
    """A half of one is none; it is asked for once, and no error has its address, which is a key to it."""
    async with fetching() as (discord, channel):
        file = sent(discord, name="secret.txt")
        discord.fail("download", **fault)
        error = await refusal(channel, file)
        assert (error.fault, error.retry_after) == (expected, 7.0 if expected is PlatformFault.RATE else None)
        assert "secret" not in str(error)
        assert len(discord.called("download")) == 1


async def test_an_answer_is_posted_as_a_file() -> None:
    """A message of its own, which is no reply, makes no sound and notifies nobody."""
    async with fetching() as (discord, channel):
        await channel.attach("answer 1.md", "# Größe\n@everyone <@100000000000000003>\n")
        (said,) = discord.answers()
        (file,) = said.attachments
        assert discord.called("post")[0].body["allowed_mentions"] == {"parse": []}
        assert (file["filename"], file["content_type"]) == ("answer 1.md", "text/plain; charset=utf-8")
        assert (said.shown, said.reference, bool(said.flags & SILENT), discord.notifications) == ("", "", True, [])
        read = Attachment(file["filename"], "", file["size"], file["url"])
        assert (await channel.download(read, MOST)).decode() == "# Größe\n@everyone <@100000000000000003>\n"


async def test_a_file_whose_answer_was_lost_stands_there_once() -> None:
    """Where it is posted again; another text is another file."""
    async with fetching() as (discord, channel):
        discord.fail("post", lose=True)
        with pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", "one")
        assert caught.value.fault is PlatformFault.NETWORK
        await channel.attach("answer.md", "one")
        await channel.attach("answer.md", "two")
        assert len(discord.answers()) == 2


@pytest.mark.parametrize("text", ["\ud800", "x" * (FILE + 1)])
async def test_a_file_that_cannot_be_is_no_crash(text: str) -> None:
    """Letters that are none become question marks; what is too large is REJECTED."""
    async with fetching() as (discord, channel):
        if len(text) == 1:
            await channel.attach("answer.md", text)
            assert discord.answers()
            return
        with pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", text)
        assert caught.value.fault is PlatformFault.REJECTED


async def test_without_the_permission_there_is_no_file() -> None:
    """It says FORBIDDEN, and answers go on."""
    async with fetching() as (discord, channel):
        discord.people.deny(GENERAL, "attach")
        with pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", "one")
        assert caught.value.fault is PlatformFault.FORBIDDEN
        assert await channel.post(Page("one"))


async def test_files_count_under_the_limit_of_posts() -> None:
    """It is learned from their headers too, and a 429 stops the channel; the call is made once."""
    async with fetching() as (discord, channel):
        discord.limits.tighten("fixed", limit=1, period=60.0)
        await channel.attach("answer.md", "one")
        assert channel.posts.window.limit == 1
        with pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", "two")
        assert caught.value.fault is PlatformFault.RATE
        assert 55 < (caught.value.retry_after or 0) <= 60
        assert len(discord.called("post")) == 2


async def test_the_official_address_opens_no_other_server() -> None:
    """However it is written."""
    for address in ("https://discord.com/api/v10", "https://discord.com/api/v10/"):
        async with connect(Settings.model_validate({"token": "t", "api_base_url": address})) as rest:
            assert isinstance(rest, Rest)
            with pytest.raises(PlatformError, match=r"elsewhere \(discord.com\)"):
                await files.download(rest, Attachment("a", "", 1, "https://discord.com/a"), MOST)
