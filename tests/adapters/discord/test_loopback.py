"""The loopback Discord is as strict as the real one, by REST: what these tests hold, the adapter's tests rest on."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest

from tests.loopback.discord import ANN, ANN_DM, BEN, BOT, GENERAL, HELPERS, TALK, FakeDiscord
from tests.loopback.discord.client import Bot, Caller, online, pointed
from tests.loopback.discord.rules import CONTENT

NOBODY = discord.AllowedMentions.none()


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord that discord.py is pointed at."""
    async with FakeDiscord() as fake:
        with pointed(fake):
            yield fake


@pytest.fixture
async def bot(fake: FakeDiscord) -> AsyncIterator[Bot]:
    """A client that is ready."""
    async with online(Bot(fake)) as bot:
        yield bot


@pytest.fixture
async def call(fake: FakeDiscord) -> AsyncIterator[Caller]:
    """Somebody to call it by hand."""
    async with aiohttp.ClientSession() as session:
        yield Caller(fake, session)


@pytest.fixture
def tight(fake: FakeDiscord) -> list[float]:
    """The time, by its first element, for the test to set."""
    now = [100.0]
    fake.clock = lambda: now[0]
    return now


async def test_every_state_of_a_message_is_kept(fake: FakeDiscord, bot: Bot) -> None:
    """Posts and edits by the client, and who deleted it."""
    message = await bot.at().send("one")
    await bot.at().get_partial_message(message.id).edit(content="two")
    said = fake.message(str(message.id))
    assert [version.content for version in said.versions] == ["one", "two"]
    assert fake.answers() == [said]
    await message.delete()
    assert fake.answers() == []
    assert [call.route for call in fake.calls[-3:]] == ["post", "edit", "delete"]


@pytest.mark.parametrize("letter", ["x", "界", "🙂", "<", "*"])
async def test_a_text_has_two_thousand_code_points(call: Caller, letter: str) -> None:
    """Whatever they are; one more is an invalid form, posted or edited."""
    posted = await call.post(content=letter * CONTENT)
    assert posted.status == 200
    path = f"/channels/{GENERAL}/messages/{(await posted.json())['id']}"
    assert (await call("PATCH", path, content=letter * CONTENT)).status == 200
    for refused in (await call.post(content=letter * 2001), await call("PATCH", path, content=letter * 2001)):
        assert refused.status == 400
        body = await refused.json()
        assert body["code"] == 50035
        assert body["errors"]["content"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"


async def test_refusals_have_discords_codes(fake: FakeDiscord, call: Caller) -> None:
    """Of messages, channels and threads."""
    mine = (await (await call.post(content="mine")).json())["id"]
    other = fake.say(content="other").id
    at = f"/channels/{GENERAL}/messages"
    assert await call.code("POST", at, content=" \n") == (400, 50006)
    assert await call.code("PATCH", f"{at}/{mine}", content="") == (400, 50006)
    assert await call.code("PATCH", f"{at}/1", content="x") == (404, 10008)
    assert await call.code("PATCH", f"{at}/{other}", content="x") == (403, 50005)
    assert await call.code("DELETE", f"{at}/{other}") == (403, 50013)
    assert await call.code("POST", "/channels/1/messages", content="x") == (404, 10003)
    assert await call.code("POST", at, content="x", nonce="n" * 26) == (400, 50035)
    assert await call.code("POST", at, content="x", message_reference={"message_id": "1"}) == (400, 50035)
    fake.people.archive(TALK, locked=True)
    assert await call.code("POST", f"/channels/{TALK}/messages", content="x") == (400, 50083)
    fake.world.users[ANN].closed = True
    assert await call.code("POST", f"/channels/{ANN_DM}/messages", content="x") == (403, 50007)
    fake.people.deny(GENERAL, "send")
    assert await call.code("POST", at, content="x") == (403, 50013)
    assert await call.code("POST", f"/channels/{GENERAL}/typing") == (403, 50013)
    fake.people.deny(GENERAL, "view")
    assert await call.code("POST", at, content="x") == (403, 50001)
    assert await call.code("GET", "/users/@me", token="wrong") == (401, 0)
    assert len(fake.refusals) == 14


async def test_an_archived_thread_opens_for_a_post_and_not_for_an_edit(fake: FakeDiscord, call: Caller) -> None:
    """Unless it is locked."""
    posted = await (await call.post(TALK, content="x")).json()
    fake.people.archive(TALK)
    assert await call.code("PATCH", f"/channels/{TALK}/messages/{posted['id']}", content="y") == (400, 50083)
    assert (await call.post(TALK, content="z")).status == 200
    assert not fake.channels[TALK].archived


async def test_a_nonce_that_is_enforced_posts_once(fake: FakeDiscord, call: Caller) -> None:
    """In one channel; without enforcement twice."""
    one, two = [await (await call.post(content=text, nonce="7", enforce_nonce=True)).json() for text in ("a", "b")]
    assert (one["id"], one["nonce"]) == (two["id"], "7")
    assert fake.shown(one["id"]) == "a"
    assert (await (await call.post(TALK, content="c", nonce="7", enforce_nonce=True)).json())["id"] != one["id"]
    await call.post(content="d", nonce="7")
    assert [said.content for said in fake.answers()] == ["a", "d"]


async def test_a_reply_to_nothing_is_refused_or_stands_alone(fake: FakeDiscord, bot: Bot) -> None:
    """As `fail_if_not_exists` says."""
    said = fake.say(content="q")
    reply = await bot.at().send(
        "a", reference=discord.MessageReference(message_id=int(said.id), channel_id=int(GENERAL))
    )
    assert fake.message(str(reply.id)).reference == said.id
    fake.delete(said.id)
    gone = discord.MessageReference(message_id=int(said.id), channel_id=int(GENERAL), fail_if_not_exists=False)
    alone = await bot.at().send("a", reference=gone)
    assert fake.message(str(alone.id)).reference == ""


async def test_it_is_known_who_was_notified(fake: FakeDiscord, bot: Bot) -> None:
    """By posts and by edits, as far as `allowed_mentions` lets them; code protects nobody."""
    said = fake.say(content="q")
    fake.notifications.clear()
    text = f"<@{ANN}> <@!{BEN}> <@&{HELPERS}> @everyone `@here`"
    await bot.at().send(text, allowed_mentions=NOBODY)
    message = await bot.at().send("quiet", allowed_mentions=NOBODY)
    await message.edit(content=text, allowed_mentions=NOBODY)
    assert fake.notifications == []
    reference = discord.MessageReference(message_id=int(said.id), channel_id=int(GENERAL))
    only = discord.AllowedMentions(users=[discord.Object(int(BEN))], everyone=False, roles=False, replied_user=True)
    await bot.at().send(text, reference=reference, allowed_mentions=only, silent=True)
    assert [(note.who, note.how, note.silent) for note in fake.notifications] == [
        (BEN, "mention", True),
        (ANN, "reply", True),
    ]
    fake.notifications.clear()
    await bot.at().get_partial_message(message.id).edit(content=text)
    assert [note.who for note in fake.notifications] == [ANN, BEN, HELPERS, "@everyone", "@here"]
    assert all(note.edit for note in fake.notifications)


async def test_link_previews_are_suppressed_as_long_as_nobody_lifts_it(fake: FakeDiscord, bot: Bot) -> None:
    """An edit that sends flags without the bit brings them back, one that sends none does not."""
    message = await bot.at().send("https://a.example", suppress_embeds=True)
    said = fake.message(str(message.id))
    assert not said.now.embeds
    await bot.at().get_partial_message(message.id).edit(content="https://b.example")
    assert not said.now.embeds
    await message.edit(content="https://c.example")
    assert said.now.embeds == ({"type": "link", "url": "https://c.example"},)
    await bot.at().send("<https://a.example>")
    assert fake.answers()[-1].now.embeds == ()


@pytest.mark.parametrize(
    "button",
    [
        {"style": 1, "label": "x", "custom_id": "c" * 101},
        {"style": 1, "label": "x" * 81, "custom_id": "c"},
        {"style": 1, "custom_id": "c"},
        {"style": 1, "label": "x"},
        {"style": 5, "label": "x", "custom_id": "c"},
        {"style": 9, "label": "x", "custom_id": "c"},
    ],
)
async def test_buttons_have_a_form(call: Caller, button: dict[str, Any]) -> None:
    """Anything else is an invalid form."""
    row = {"type": 1, "components": [{"type": 2, **button}]}
    assert await call.code("POST", f"/channels/{GENERAL}/messages", content="x", components=[row]) == (400, 50035)
    twins = {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "c"}] * 2}
    assert await call.code("POST", f"/channels/{GENERAL}/messages", content="x", components=[twins]) == (400, 50035)


async def test_history_is_read_in_pages(fake: FakeDiscord, bot: Bot) -> None:
    """Newest first, before or after a message, and never more than a hundred."""
    said = [fake.say(content=str(n), ago=1000 - n) for n in range(150)]
    texts = [message.content async for message in bot.at().history(limit=None)]
    assert texts == [str(n) for n in reversed(range(150))]
    after = discord.Object(int(said[145].id))
    assert [message.content async for message in bot.at().history(after=after)] == ["146", "147", "148", "149"]
    assert (await bot.at().fetch_message(int(said[3].id))).content == "3"
    fake.people.deny(GENERAL, "history")
    assert [message async for message in bot.at().history()] == []


async def test_files_are_posted(fake: FakeDiscord, bot: Bot) -> None:
    """By multipart, and can be read again."""
    message = await bot.at().send("here", file=discord.File(io.BytesIO(b"abc"), "a.txt"))
    assert await message.attachments[0].read() == b"abc"
    assert fake.message(str(message.id)).attachments[0]["filename"] == "a.txt"


async def test_typing_threads_reactions_and_direct_messages(fake: FakeDiscord, bot: Bot) -> None:
    """The rest of what a bot does in channels."""
    said = fake.say(content="q")
    message = await bot.at().fetch_message(int(said.id))
    async with bot.at().typing():
        assert len(fake.channels[GENERAL].typed) == 1
    await message.add_reaction("👀")
    assert said.reactions == {"👀": {BOT}}
    assert bot.user
    await message.remove_reaction("👀", bot.user)
    assert said.reactions == {"👀": set()}
    channel = await bot.fetch_channel(int(GENERAL))
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.create_thread(name="more", message=message)
    assert str(thread.id) == said.id
    await thread.send("in there")
    assert [answer.content for answer in fake.answers(said.id)] == ["in there"]
    owner = (await bot.application_info()).owner
    await owner.send("told")
    private = next(where for where in fake.channels.values() if where.people == [str(owner.id)])
    assert [answer.content for answer in private.standing] == ["told"]


@pytest.mark.parametrize(("kind", "second"), [("sliding", 1.0), ("fixed", 5.0)])
async def test_posts_and_edits_of_a_channel_share_a_limit(
    fake: FakeDiscord, call: Caller, tight: list[float], kind: str, second: float
) -> None:
    """Five, and then one a second or all at the window's end; the headers say so, and so does the refusal."""
    fake.limits.tighten(kind)
    posted = await call.post(content="x")
    path = f"/channels/{GENERAL}/messages/{(await posted.json())['id']}"
    edits = [await call("PATCH", path, content=str(n)) for n in range(4)]
    answers = [posted, *edits]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0"]
    assert {answer.headers["X-RateLimit-Bucket"] for answer in answers} == {posted.headers["X-RateLimit-Bucket"]}
    resets = [float(answer.headers["X-RateLimit-Reset-After"]) for answer in answers]
    assert resets == ([1, 2, 3, 4, 5] if kind == "sliding" else [5] * 5)
    refused = await call.post(content="y")
    body = await refused.json()
    assert (refused.status, body["retry_after"], body["global"]) == (429, second, False)
    assert (refused.headers["Retry-After"], refused.headers["X-RateLimit-Scope"]) == (str(int(second)), "user")
    assert refused.headers["Via"]
    assert (await call.post(TALK, content="elsewhere")).status == 200
    tight[0] += second
    assert [(await call.post(content="z")).status for _ in range(2)] == [200, 429 if kind == "sliding" else 200]


async def test_the_whole_bot_has_a_limit(fake: FakeDiscord, call: Caller, tight: list[float]) -> None:
    """For every route but the answers to interactions."""
    fake.limits.everywhere = 2
    statuses = [(await call("GET", "/users/@me")).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = await call("GET", "/users/@me")
    assert (await refused.json())["global"] is True
    assert refused.headers["X-RateLimit-Scope"] == "global"
    assert (await call("POST", "/interactions/1/x/callback", type=4)).status == 404


async def test_the_client_waits_for_a_limit(fake: FakeDiscord, bot: Bot) -> None:
    """discord.py takes the refusal for what it is and tries again by itself."""
    fake.fail("post", status=429, retry_after=0.01)
    await bot.at().send("x")
    assert [call.status for call in fake.called("post")] == [429, 200]


async def test_calls_go_wrong_as_asked(fake: FakeDiscord, call: Caller) -> None:
    """Refused, held back, done but lost, or cut off before."""
    fake.fail("post", status=503)
    assert (await call.post(content="refused")).status == 503
    fake.fail("post", status=500, done=True)
    assert (await call.post(content="done all the same")).status == 500
    fake.fail("post", status=403, body={"code": 50013, "message": "Missing Permissions"})
    assert await call.code("POST", f"/channels/{GENERAL}/messages", content="x") == (403, 50013)
    for text, fault in (("lost", {"lose": True}), ("cut", {"cut": True})):
        fake.fail("post", **fault)
        with pytest.raises(aiohttp.ClientConnectionError):
            await call.post(content=text)
    gate = fake.hold("post")
    held = asyncio.create_task(call.post(content="held"))
    await fake.until(lambda: len(fake.called("post")) == 6)
    assert not held.done()
    gate.set()
    assert (await held).status == 200
    assert [said.content for said in fake.answers()] == ["done all the same", "lost", "held"]


async def test_json_has_the_type_that_discord_gives_it(call: Caller) -> None:
    """The client takes any other for text."""
    assert (await call("GET", "/users/@me")).headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"ws://127\.0\.0\.1:\d+/gateway", (await (await call("GET", "/gateway/bot")).json())["url"])
