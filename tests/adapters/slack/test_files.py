"""Files on Slack: only Slack itself is told the token, and no more of a file is read than was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientTimeout
from structlog.testing import capture_logs

from adapters.shared.download import admit
from adapters.slack import Settings
from adapters.slack.api.client import connect
from adapters.slack.api.identity import Identity, introduce
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound.messages import spoken
from adapters.slack.outbound import files
from adapters.slack.outbound.channel import SlackChannel
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment, Page
from bot.domain.ports import Library
from tests.adapters.slack.test_channel import asked
from tests.loopback.slack import BOT, CHANNEL, DM, TEAM, FakeSlack
from tests.loopback.slack.app import connected, settings
from tests.loopback.slack.payloads import envelope

MOST = 1000
ME = Identity(TEAM, BOT, "B0PARLEY", "parley", "Loopback")
PAGE = {"status": 200, "body": b"<html>Sign in</html>", "headers": {"Content-Type": "text/html; charset=utf-8"}}


@asynccontextmanager
async def fetching(
    where: str = CHANNEL, lacks: Set[str] = frozenset()
) -> AsyncIterator[tuple[FakeSlack, SlackChannel]]:
    """A Slack, and a channel to answer a question in."""
    async with FakeSlack() as slack, connect(settings(slack)) as client:
        slack.workspace.scopes -= lacks
        workspace = Workspace(client, *await introduce(client))
        said = await slack.say(where, "a question")
        yield slack, SlackChannel(workspace, asked(where, said.ts, "" if where == DM else said.ts))


def sent(slack: FakeSlack, data: bytes = b"content", name: str = "a b.txt", kind: str = "text/plain") -> Attachment:
    """A file that somebody sent, as the adapter hears of it."""
    return heard(slack.files.keep(name, data, kind))


def heard(file: dict[str, Any]) -> Attachment:
    """What the adapter makes of a file of a message."""
    event = {"type": "message", "subtype": "file_share", "user": "U0ANN", "channel": DM, "ts": "1.1", "files": [file]}
    said = spoken(envelope(event, BOT), ME)
    assert said
    return said.files[0]


async def refusal(channel: SlackChannel, file: Attachment, most: int = MOST) -> PlatformError:
    """Why a file is not fetched."""
    with pytest.raises(PlatformError) as caught:
        await channel.download(file, most)
    return caught.value


async def test_a_file_is_fetched_with_the_token() -> None:
    """Slack takes it for a visitor else."""
    async with fetching() as (slack, channel):
        assert isinstance(channel, Library)
        assert await channel.download(sent(slack), MOST) == b"content"
        assert await channel.download(sent(slack, b"x" * MOST), MOST) == b"x" * MOST
        page = sent(slack, b"<html>", "a.html", "text/html")
        assert await channel.download(page, MOST) == b"<html>"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "files.slack.com/files-pri/T1-F1/a",
        "http://files.slack.com/files-pri/T1-F1/a",
        "http://files.slack.com:443/files-pri/T1-F1/a",
        "https://files.slack.com:8443/files-pri/T1-F1/a",
        "https://ann:secret@files.slack.com/files-pri/T1-F1/a",
        "https://files.slack.com.evil.example/a",
        "https://files.slack.com@evil.example/a",
        "https://evil.example#@files.slack.com/a",
        "https://evilfiles.slack.com/a",
        "https://evil.slack.com/a",
        "https://docs.google.com/document/d/1",
        "https://slack.com/api/auth.test",
        "https://127.0.0.1/a",
        "https://files.slack.com:port/a",
        "file:///etc/passwd",
        "\x00",
    ],
)
async def test_nothing_is_fetched_from_elsewhere(url: str) -> None:
    """Only https, only where Slack keeps files: the token would go along."""
    for address in ("https://slack.com/api/", "https://slack.com/api"):
        async with connect(Settings.model_validate({"bot_token": "xoxb-1", "api_base_url": address})) as client:
            with pytest.raises(PlatformError) as caught:
                await files.download(Workspace(client, ME), Attachment("a", "", 1, url), MOST)
        assert caught.value.fault is PlatformFault.REJECTED


@pytest.mark.parametrize("host", ["files.slack.com", "files.slack-gov.com"])
def test_slack_s_own_hosts_are_asked(host: str) -> None:
    """GovSlack's too."""
    url = f"https://{host}/files-pri/T1-F1/a%20b.txt"
    assert str(admit(url, files.HOSTS)) == url


@pytest.mark.parametrize(
    "change",
    [
        {"is_external": True, "mode": "external", "external_type": "gdrive"},
        {"mode": "external"},
        {"is_external": True},
        {"mode": "hidden_by_limit"},
        {"mode": "tombstone", "size": None},
    ],
)
async def test_what_slack_does_not_keep_has_no_address(change: dict[str, Any]) -> None:
    """Its name is known, so that people can be told; nobody is asked for it."""
    async with fetching() as (slack, channel):
        file = heard({**slack.files.keep("a.txt", b"content", "text/plain"), **change})
        assert (file.name, file.url) == ("a.txt", "")
        assert (await refusal(channel, file)).fault is PlatformFault.REJECTED
        assert not slack.called("url_private")


async def test_a_file_that_is_to_be_asked_for_first_has_no_address() -> None:
    """As those that come from another workspace."""
    assert heard({"id": "F1", "file_access": "check_file_info"}) == Attachment("F1", "", 0, "")


async def test_another_server_on_the_same_host_is_another() -> None:
    """It hears nothing; neither does the one that a file leads on to."""
    async with FakeSlack() as other, fetching() as (slack, channel):
        assert (await refusal(channel, sent(other))).fault is PlatformFault.REJECTED
        slack.fail("url_private", status=302, headers={"Location": sent(other).url})
        assert (await refusal(channel, sent(slack))).fault is PlatformFault.FORBIDDEN
        assert (len(slack.called("url_private")), other.calls) == (1, [])


@pytest.mark.parametrize("fault", [None, PAGE])
async def test_a_login_page_is_no_file(fault: dict[str, Any] | None) -> None:
    """The operator is told which scope is missing; the page is not read, nor followed to."""
    async with fetching(lacks={"files:read"}) as (slack, channel):
        if fault:
            slack.fail("url_private", **fault)
        with capture_logs() as logs:
            error = await refusal(channel, sent(slack))
        assert error.fault is PlatformFault.FORBIDDEN
        (line,) = logs
        assert (line["log_level"], line["scope"]) == ("warning", "files:read")
        assert "install it again" in line["event"]
        assert slack.bot_token not in str(logs) + str(error)
        assert await channel.post(Page("one"))


async def test_a_login_page_in_spite_of_the_scope_is_no_matter_of_the_scope() -> None:
    """The file is closed to the bot for another reason, and nobody is sent to look at the scopes."""
    async with fetching() as (slack, channel):
        slack.fail("url_private", status=302, headers={"Location": f"{slack.origin}/"})
        with capture_logs() as logs:
            assert (await refusal(channel, sent(slack))).fault is PlatformFault.FORBIDDEN
        assert logs == []


async def test_a_file_that_says_it_is_too_large_is_not_asked_for() -> None:
    """Whatever it is."""
    async with fetching() as (slack, channel):
        assert (await refusal(channel, sent(slack, b"x" * (MOST + 1)))).fault is PlatformFault.REJECTED
        assert not slack.called("url_private")


async def test_a_file_that_lies_about_its_size_is_cut_off() -> None:
    """By its length where the answer says it, while it comes where it does not."""
    async with fetching() as (slack, channel):
        large, never = replace(sent(slack, b"x" * (MOST + 1)), size=1), asyncio.Event()
        slack.fail("url_private", late=never)
        assert (await refusal(channel, large)).fault is PlatformFault.REJECTED
        never.set()
        slack.fail("url_private", endless=True)
        assert (await refusal(channel, large)).fault is PlatformFault.REJECTED
        assert await channel.download(sent(slack), MOST) == b"content"


@pytest.mark.parametrize("patience", [ClientTimeout(sock_read=0.1), ClientTimeout(total=0.1)])
async def test_a_file_that_does_not_come_is_given_up(patience: ClientTimeout) -> None:
    """One that stops in the middle, and one that goes on and on."""
    stops = asyncio.Event()
    async with FakeSlack() as slack, connect(settings(slack)) as client:
        slack.fail("url_private", late=stops, endless=patience.sock_read is None)
        with pytest.raises(PlatformError) as caught:
            await files.download(Workspace(client, ME), sent(slack), 10**9, patience)
        assert caught.value.fault is PlatformFault.NETWORK
        stops.set()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 404}, PlatformFault.GONE),
        ({"status": 403}, PlatformFault.FORBIDDEN),
        ({"status": 206}, PlatformFault.REJECTED),
        ({"status": 429, "headers": {"Retry-After": "7"}}, PlatformFault.RATE),
        ({"status": 503}, PlatformFault.NETWORK),
        ({"lose": True}, PlatformFault.NETWORK),
    ],
)
async def test_refusals_of_a_file_are_told_apart(fault: dict[str, Any], expected: PlatformFault) -> None:
    """A half of one is none; it is asked for once."""
    async with fetching() as (slack, channel):
        file = sent(slack, name="secret.txt")
        slack.fail("url_private", **fault)
        error = await refusal(channel, file)
        assert (error.fault, error.retry_after) == (expected, 7.0 if expected is PlatformFault.RATE else None)
        assert "secret" not in str(error)
        assert len(slack.called("url_private")) == 1


async def test_files_come_with_a_question_to_the_running_bot() -> None:
    """In a direct message and with a mention, once each."""
    async with FakeSlack() as slack, connected(slack) as app:
        file = slack.files.keep("a.txt", b"content", "text/plain")
        await slack.say(DM, "look", files=[file])
        await slack.say(CHANNEL, f"<@{BOT}> look", files=[file])
        await slack.until(lambda: len(app.engine.answered) == 2)
        assert [question.attachments for question in app.engine.answered] == [(heard(file),), (heard(file),)]
