"""An answer as a file on Slack: shared in three steps, of which only the last one shows it."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Page
from bot.pacing.pacer import Urgency
from tests.adapters.slack.test_files import MOST, fetching, heard, sent
from tests.loopback.slack import CHANNEL, DM, FakeSlack


@pytest.mark.parametrize("where", [CHANNEL, DM])
async def test_an_answer_is_shared_as_a_file(where: str) -> None:
    """Below the question, in its thread where it has one; the bytes go without a token."""
    async with fetching(where) as (slack, channel):
        await channel.attach("answer 1.md", "# Größe\n<!channel> @here\n")
        (said,) = slack.answers(where)
        (file,) = said.files
        assert (file["name"], file["title"]) == ("answer 1.md", "answer 1.md")
        assert slack.files.read(file).decode() == "# Größe\n<!channel> @here\n"
        (question,) = [other for other in slack.workspace.conversations[where].messages.values() if not other.bot]
        assert said.thread == ("" if where == DM else question.ts)
        assert said.pings == ()
        assert await channel.download(heard(file), MOST) == slack.files.read(file)


async def test_a_letter_that_is_none_is_no_crash() -> None:
    """It becomes a question mark."""
    async with fetching() as (slack, channel):
        await channel.attach("answer.md", "\ud800")
        assert slack.files.read(slack.answers()[0].files[0]) == b"?"


@pytest.mark.parametrize(
    ("step", "blocked"), [("files.getUploadURLExternal", False), ("files.completeUploadExternal", True)]
)
async def test_a_file_that_is_one_too_many_holds_the_channel_s_posts_back(step: str, blocked: bool) -> None:
    """It is shown where posts are; one that could not be announced holds nothing back."""
    async with fetching() as (slack, channel):
        slack.fail(step, status=429, retry_after=30)
        with pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", "one")
        assert (caught.value.fault, caught.value.retry_after) == (PlatformFault.RATE, 30.0)
        seat = channel.posts.seat(lambda: 1.0)
        turn = asyncio.ensure_future(seat.turn(Urgency.FIRST))
        await asyncio.sleep(0)
        assert turn.done() is not blocked
        turn.cancel()
        seat.leave()


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "upload_url", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, PlatformFault.RATE), (503, PlatformFault.NETWORK)],
)
async def test_nothing_is_shared_where_a_step_fails(step: str, status: int, expected: PlatformFault) -> None:
    """It says why, tries nothing again, and shares no half of a file."""
    async with fetching() as (slack, channel):
        slack.fail(step, status=status)
        with pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", "one")
        assert caught.value.fault is expected
        assert slack.answers() == []
        assert len(slack.called(step)) == 1


async def test_the_bytes_go_to_slack_alone() -> None:
    """Whatever address it is told: none of another server, and no redirect is followed."""
    async with FakeSlack() as other, fetching() as (slack, channel):
        true = slack.api.methods["files.getUploadURLExternal"]
        elsewhere = f"{other.origin}/upload/v1/F1"
        slack.api.methods["files.getUploadURLExternal"] = lambda args: {**true(args), "upload_url": elsewhere}
        with pytest.raises(PlatformError, match="elsewhere"):
            await channel.attach("answer.md", "one")
        slack.api.methods["files.getUploadURLExternal"] = true
        slack.fail("upload_url", status=307, headers={"Location": elsewhere})
        with pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", "one")
        assert caught.value.fault is PlatformFault.REJECTED
        assert (slack.answers(), other.calls) == ([], [])


async def test_without_the_scope_nothing_is_shared() -> None:
    """The operator is told which, and answers go on."""
    async with fetching(lacks={"files:write"}) as (slack, channel):
        with capture_logs() as logs, pytest.raises(PlatformError) as caught:
            await channel.attach("answer.md", "one")
        assert caught.value.fault is PlatformFault.FORBIDDEN
        assert [(line["log_level"], line["scope"]) for line in logs] == [("warning", "files:write")]
        assert await channel.post(Page("one"))
        assert await channel.download(sent(slack), MOST) == b"content"
