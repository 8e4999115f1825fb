"""What people said, handed to them and deleted as they say: to nobody else, and nobody else's."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from bot import texts
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Author, Caller, Incoming, Place, State
from bot.engine import Engine
from bot.interactions.privacy import fence_json, split_rows
from tests.bot.turns.test_engine import engine, provider
from tests.loopback.discord import ANN, BEN, BOT, GENERAL, RANDOM, FakeDiscord
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import ANN as SLACK_ANN
from tests.loopback.slack import BOT as SLACK_BOT
from tests.loopback.slack import CHANNEL, DM, FakeSlack
from tests.loopback.slack.app import connected
from tests.stories.test_discord import environ, whole
from tests.stories.test_slack import environ as environ_of_slack
from tests.stories.test_slack import whole as whole_in_slack
from tests.support.discord_app import connected as connected_to_discord
from tests.support.program import PATIENCE, Program
from tests.support.screen import Screen

WHO, OTHER = Author("u1", "Ann"), Author("u2", "Ben")
CHANNELS = [Place("discord:7", shared=True), Place("discord:8", shared=True)]
DIRECT = Place("discord:9", direct=True)


__all__ = ["engine", "provider"]


class Desk(Screen):
    """A screen that takes files, or refuses them."""

    def __init__(self, fault: PlatformFault | None = None) -> None:
        super().__init__(trip=0)
        self.fault = fault
        self.files: dict[str, str] = {}

    async def download(self, attachment: object, most: int) -> bytes:
        """Nothing is there."""
        raise PlatformError(PlatformFault.GONE, "no files")

    async def attach(self, name: str, text: str) -> None:
        """Keep a file."""
        if self.fault:
            raise PlatformError(self.fault, "no files here")
        self.files[name] = text


def say(text: str, id: str, place: Place, author: Author = WHO, command: str = "") -> Incoming:
    """A message for the bot."""
    return Incoming(place, author, text, place.key.partition(":")[2], id, command=command)


async def talk(engine: Engine) -> None:
    """Ann and Ben in two channels."""
    for number, (place, author) in enumerate([(place, author) for place in CHANNELS for author in (WHO, OTHER)]):
        await engine.respond(say(f"{author.name} in {place.key}", str(number), place, author), Screen(trip=0))


async def questions(engine: Engine, place: Place) -> list[str]:
    """What is remembered of what was asked."""
    return [message.content for message in await engine.memory.recall(place.key, 100) if message.author]


async def test_nobody_can_have_everything_again_and_again(engine: Engine) -> None:
    """Three times in ten minutes, each person by themselves; not where it could not be given."""
    await talk(engine)
    desk = Desk()
    told = [await engine.export_own_words(DIRECT, WHO, desk.attach) for _ in range(5)]
    assert told[:3] == [texts.EXPORTED] * 3
    assert told[3].startswith("You had it several times just now. You can have it again in about 10 minutes")
    assert await engine.export_own_words(DIRECT, OTHER, desk.attach) == texts.EXPORTED
    await engine.run_command("forget-me", DIRECT, Caller(WHO))
    assert (await engine.export_own_words(DIRECT, WHO, desk.attach)).startswith("You had it several times")


async def test_forget_me_deletes_what_one_person_said_everywhere(engine: Engine) -> None:
    """And says how many questions that were; what others said stays; a second time there is nothing."""
    await talk(engine)
    said = await engine.run_command("forget-me", CHANNELS[0], Caller(WHO))
    assert said == texts.FORGOT.format(count="2 questions")
    for place in CHANNELS:
        assert await questions(engine, place) == [f"Ben in {place.key}"]
    assert await engine.run_command("forget-me", CHANNELS[0], Caller(WHO)) == texts.NOTHING_OF_YOURS
    assert await engine.run_command("forget-me", CHANNELS[0], Caller(OTHER)) == texts.FORGOT.format(count="2 questions")


async def test_forget_me_stops_what_that_person_has_running(engine: Engine, provider: FakeOpenAI) -> None:
    """Elsewhere too; it is closed before it is deleted, and what others have asked goes on."""
    one, two, mine, theirs = provider.script(), provider.script(), Screen(trip=0), Screen(trip=0)
    asked = asyncio.create_task(engine.respond(say("mine", "1", CHANNELS[0]), mine))
    await one.asked()
    other = asyncio.create_task(engine.respond(say("theirs", "2", CHANNELS[1], OTHER), theirs))
    await two.asked()
    await one.send("Half an ")
    await mine.until(lambda: bool(mine.messages))
    assert await engine.run_command("forget-me", DIRECT, Caller(WHO)) == texts.FORGOT.format(count="1 question")
    answer = await asked
    assert answer is not None
    assert answer.state is State.STOPPED
    assert await engine.memory.recall(CHANNELS[0].key, 10) == []
    await two.send("Whole.")
    await two.end()
    await other
    assert theirs.texts == ["Whole."]


async def test_export_in_a_direct_message_is_a_file(engine: Engine) -> None:
    """All that they said and was answered, everywhere; as text where no file can be had."""
    await talk(engine)
    desk = Desk()
    await engine.respond(say("/export", "9", DIRECT, command="export"), desk)
    rows = json.loads(desk.files["parley-export.json"])
    assert [row["text"] for row in rows[:2]] == ["Ann in discord:7", "Ann in discord:8"]
    assert rows[0]["answer"] == "You said: Ann: Ann in discord:7"
    assert desk.texts == [texts.EXPORTED]
    refusing = Desk(PlatformFault.FORBIDDEN)
    await engine.respond(say("/export", "10", DIRECT, command="export"), refusing)
    assert "Ann in discord:8" in refusing.texts[0]
    assert "Ben" not in "".join(desk.files.values()) + refusing.texts[0]


async def test_what_is_too_long_for_text_and_refused_as_a_file_is_said(engine: Engine) -> None:
    """With what to do."""
    await engine.respond(say("x" * 4000, "1", DIRECT), Screen(trip=0))
    refusing = Desk(PlatformFault.FORBIDDEN)
    await engine.respond(say("/export", "2", DIRECT, command="export"), refusing)
    assert refusing.texts == [texts.NO_EXPORT]


async def test_an_export_is_not_posted_where_others_read(engine: Engine) -> None:
    """As a message in a channel it is refused, with the way to have it."""
    await talk(engine)
    desk = Desk()
    await engine.respond(say("/export", "9", CHANNELS[0], command="export"), desk)
    assert (desk.texts, desk.files) == ([texts.EXPORT_ALONE], {})


async def test_on_the_page_both_are_about_the_conversation_alone(engine: Engine) -> None:
    """All who use the page are one author: nobody reaches what another said there."""
    you = Author("web", "you")
    mine, theirs = Place("web:mine"), Place("web:theirs")
    for number, place in enumerate((mine, theirs)):
        await engine.respond(say(f"said in {place.key}", str(number), place, you), Screen(trip=0))
    told = await engine.run_command("export", mine, Caller(you))
    assert "said in web:mine" in told
    assert "web:theirs" not in told
    assert await engine.run_command("forget-me", mine, Caller(you)) == texts.RESET
    assert await engine.run_command("forget-me", mine, Caller(you)) == texts.NOTHING_TO_RESET
    assert await questions(engine, theirs) == ["said in web:theirs"]
    assert await engine.run_command("export", mine, Caller(you)) == texts.NOTHING_OF_YOURS


@given(rows=st.lists(st.fixed_dictionaries({"text": st.text()})), largest=st.integers(10, 200))
def test_a_cut_export_is_whole_and_in_order(rows: list[dict[str, str]], largest: int) -> None:
    """Each part is JSON of its own, and no longer than it may be unless one row is."""
    parts = split_rows(rows, largest)
    found = [row for part in parts for row in json.loads(part)]
    assert found == [{"text": row["text"].encode(errors="replace").decode()} for row in rows]
    assert all(len(part.encode()) <= largest or len(json.loads(part)) == 1 for part in parts)


@given(text=st.text("`a\n"))
def test_nothing_in_a_text_ends_its_block(text: str) -> None:
    """The fence is longer than any run of ticks in it."""
    first, *_, last = fence_json(text).split("\n")
    assert first == f"{last}json"
    assert last not in text


async def test_on_discord_a_file_comes_for_the_person_alone_and_then_all_is_deleted(
    provider: FakeOpenAI, tmp_path: Path
) -> None:
    """`/export` and `/forget-me` in a channel: ephemeral; Ben's question stays."""
    async with FakeDiscord() as discord, Program(tmp_path, **environ(discord, provider)) as parley:
        await parley.logged("discord is connected")
        for author, where, fruit in ((ANN, GENERAL, "figs"), (BEN, RANDOM, "plums")):
            discord.say(where, f"<@{BOT}> I like {fruit}", author=author)
            await whole(discord, 1, where)
        one = discord.slash("export")
        await discord.until(lambda: one.shown and one.shown[0], PATIENCE)
        assert (one.shown, one.private) == ([texts.EXPORTED], True)
        [file] = one.messages[0].attachments
        assert file["filename"] == "parley-export.json"
        async with ClientSession() as http, http.get(file["url"]) as response:
            [row] = json.loads(await response.read())
        assert (row["text"], row["place"]) == ("I like figs", f"discord:{GENERAL}")
        two = discord.slash("forget-me")
        await discord.until(lambda: two.shown, PATIENCE)
        assert (two.shown, two.private) == ([texts.FORGOT.format(count="1 question")], True)
        again = discord.slash("export")
        await discord.until(lambda: again.shown, PATIENCE)
        assert again.shown == [texts.NOTHING_OF_YOURS]
        assert await parley.stop() == 0
    for path in (tmp_path / "data").iterdir():
        assert b"figs" not in path.read_bytes(), path
    assert b"plums" in (tmp_path / "data" / "parley.db").read_bytes()


async def test_on_discord_a_long_export_is_several_files_for_the_person_alone() -> None:
    """And what is refused comes as a PlatformError, so that the person is told or given the text."""
    async with FakeDiscord() as discord, connected_to_discord(discord) as app:
        app.engine.exports.update({"1.json": "[1]", "2.json": "[2]"})
        one = discord.slash("export", GENERAL)
        await discord.until(lambda: "exported" in one.shown)
        assert [file["filename"] for said in one.messages for file in said.attachments] == ["1.json", "2.json"]
        assert one.private
        discord.fail("follow", status=403, body={"code": 50013, "message": "Missing Permissions"})
        two = discord.slash("export", GENERAL)
        await discord.until(lambda: two.shown)
        assert two.shown == ["refused: Forbidden"]


async def test_on_slack_a_file_comes_to_the_persons_direct_messages(provider: FakeOpenAI, tmp_path: Path) -> None:
    """`/parley export` and `/parley forget-me` in a channel; nobody there sees anything of it."""
    async with FakeSlack() as slack, Program(tmp_path, **environ_of_slack(slack, provider)) as parley:
        await parley.logged("slack is connected")
        await slack.say(CHANNEL, f"<@{SLACK_BOT}> I like figs")
        await whole_in_slack(slack, 1)
        before = len(slack.answers(CHANNEL))
        slack.slash("/parley", CHANNEL, "export")
        told = (await slack.until(lambda: slack.ephemerals, PATIENCE))[0]
        assert (told.user, told.shown) == (SLACK_ANN, texts.EXPORTED)
        [file] = [file for said in slack.workspace.conversations[DM].messages.values() for file in said.files]
        [row] = json.loads(slack.files.read(file))
        assert row["text"] == "I like figs"
        slack.slash("/parley", CHANNEL, "forget-me")
        done = (await slack.until(lambda: slack.ephemerals[1:], PATIENCE))[0]
        assert done.shown == texts.FORGOT.format(count="1 question")
        assert len(slack.answers(CHANNEL)) == before
        assert slack.files.leaks == []


@pytest.mark.parametrize("refused", ["chat.postMessage", "files.getUploadURLExternal"])
async def test_what_slack_refuses_of_an_export_is_for_the_engine_to_tell(refused: str) -> None:
    """It comes as a PlatformError, so that the person is told or given the text."""
    async with FakeSlack() as slack, connected(slack) as app:
        app.engine.exports["x.json"] = "[]"
        slack.fail(refused, error="missing_scope")
        slack.slash("/parley", CHANNEL, "export")
        told = (await slack.until(lambda: slack.ephemerals))[0]
        assert told.shown == "refused: missing_scope"
