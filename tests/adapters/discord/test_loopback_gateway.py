"""The loopback Discord's gateway, with the real client on it: log-in, events, resuming, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest

from tests.loopback.discord import (
    ANN,
    ANN_DM,
    BEN,
    BOT,
    BOT_ROLE,
    GENERAL,
    GUILD,
    HELPERS,
    RANDOM,
    ROBOT,
    TALK,
    FakeDiscord,
)
from tests.loopback.discord.client import Bot, online, pointed


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


async def test_the_client_logs_in_and_knows_where_it_is(fake: FakeDiscord, bot: Bot) -> None:
    """READY, the guild with its channels, threads and roles, the application with its owner and flags."""
    assert bot.user
    assert str(bot.user.id) == BOT
    (guild,) = bot.guilds
    assert {channel.name for channel in guild.text_channels} == {"general", "random"}
    assert [thread.parent_id for thread in guild.threads] == [int(GENERAL)]
    assert guild.me
    assert [str(role.id) for role in guild.me.roles] == [GUILD, BOT_ROLE]
    assert guild.self_role
    info = await bot.application_info()
    assert info.owner.name == "olga"
    assert info.flags.gateway_message_content_limited
    assert fake.refusals == []


async def test_a_wrong_token_is_not_let_in(fake: FakeDiscord) -> None:
    """REST says 401, the gateway closes with 4004."""
    bot = Bot(fake)
    with pytest.raises(discord.LoginFailure):
        await bot.login("wrong")
    async with aiohttp.ClientSession() as session, session.ws_connect(fake.gateway_url) as socket:
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 0, "properties": {}}})
        assert (await socket.receive()).data == 4004
    await bot.close()


async def test_an_intent_that_was_not_granted_closes_the_gateway(fake: FakeDiscord) -> None:
    """With 4014, which the client takes for final."""
    fake.world.app.granted.clear()
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with online(Bot(fake)):
            pass
    async with online(Bot(fake, content=False)) as bot:
        assert bot.is_ready()


async def test_what_people_say_arrives(fake: FakeDiscord, bot: Bot) -> None:
    """In a channel, in a thread, in a direct message; mentions of people and roles, replies, files."""
    first = fake.say(content=f"<@{BOT}> hi <@&{HELPERS}>")
    fake.say(TALK, "in a thread", BEN, files=[("a.txt", b"abc", "text/plain")])
    fake.say(ANN_DM, "in private")
    fake.say(content="again", reference=first.id, author=ROBOT)
    here, thread, private, reply = await bot.hear(4)
    assert bot.user in here.mentions
    assert [str(role.id) for role in here.role_mentions] == [HELPERS]
    assert here.author.name == "ann"
    assert isinstance(thread.channel, discord.Thread)
    assert await thread.attachments[0].read() == b"abc"
    assert private.guild is None
    assert reply.author.bot
    assert reply.reference
    assert isinstance(reply.reference.resolved, discord.Message)
    assert reply.reference.resolved.content == here.content
    assert [str(user.id) for user in reply.mentions] == [ANN]


async def test_without_the_intent_texts_are_empty(fake: FakeDiscord) -> None:
    """But for mentions of the bot, direct messages, replies that tell it, and its own; a role's mention is none."""
    fake.world.app.granted.clear()
    async with online(Bot(fake, content=False)) as bot:
        own = await bot.at().send("mine")
        fake.say(content="to nobody")
        fake.say(content=f"<@&{BOT_ROLE}> to its role")
        fake.say(content=f"<@{BOT}> to it")
        fake.say(ANN_DM, "in private")
        fake.say(content="replied", reference=str(own.id))
        fake.say(content="replied quietly", reference=str(own.id), ping=False)
        said = await bot.hear(7)
        texts = [message.content for message in said]
        assert texts == ["mine", "", "", f"<@{BOT}> to it", "in private", "replied", ""]
        history = [message.content async for message in bot.at().history(limit=3)]
        assert history == ["", "replied", f"<@{BOT}> to it"]


async def test_changes_arrive(fake: FakeDiscord, bot: Bot) -> None:
    """Edits and deletions of people's messages."""
    said = fake.say(content="one")
    fake.edit(said.id, "two")
    fake.delete(said.id)
    await fake.until(lambda: bot.deleted)
    assert [event.message.content for event in bot.edits] == ["two"]
    assert bot.edits[0].message.edited_at
    assert [version.content for version in said.versions] == ["one", "two"]


async def test_a_cut_connection_is_resumed_with_what_was_missed(fake: FakeDiscord, bot: Bot) -> None:
    """Once each, and in order, by the same session; also when Discord itself asks for it, or closes with 4000."""
    fake.gateway.kill()
    fake.say(content="1")
    await bot.hear(1)
    await fake.gateway.reconnect()
    fake.say(content="2")
    await bot.hear(2)
    await fake.gateway.close(4000)
    fake.say(content="3")
    assert [message.content for message in await bot.hear(3)] == ["1", "2", "3"]
    assert len(fake.gateway.resumes) == 3
    assert len(fake.gateway.identifies) == 1


async def test_a_session_that_is_over_begins_anew(fake: FakeDiscord, bot: Bot) -> None:
    """After op 9 the client identifies again; what was said between is not replayed."""
    before = fake.gateway.sessions[0]
    await fake.gateway.invalidate()
    await fake.until(lambda: before.socket is None)
    fake.say(content="missed")
    await fake.until(lambda: len(fake.gateway.identifies) == 2 and fake.connected)
    fake.say(content="heard")
    assert [message.content for message in await bot.hear(1)] == ["heard"]


async def test_an_event_can_come_twice(fake: FakeDiscord, bot: Bot) -> None:
    """As a replay may bring it: the same message, dispatched again."""
    said = fake.say(content="once")
    await bot.hear(1)
    fake.gateway.repeat("MESSAGE_CREATE")
    assert [str(message.id) for message in await bot.hear(2)] == [said.id, said.id]


@pytest.mark.parametrize(("code", "answer"), [(1000, 9), (4000, 0)])
async def test_a_clean_close_ends_the_session(fake: FakeDiscord, code: int, answer: int) -> None:
    """After the client's 1000 a resume is refused, after another code it is taken."""
    async with aiohttp.ClientSession() as client:
        async with client.ws_connect(fake.gateway_url) as socket:
            await socket.receive_json()
            await socket.send_json({"op": 2, "d": {"token": fake.token, "intents": 1, "properties": {}}})
            session = (await socket.receive_json())["d"]["session_id"]
            await socket.close(code=code)
        await fake.until(lambda: not fake.connected)
        async with client.ws_connect(fake.gateway_url) as socket:
            await socket.receive_json()
            await socket.send_json({"op": 6, "d": {"token": fake.token, "session_id": session, "seq": 1}})
            assert (await socket.receive_json())["op"] == answer


@pytest.mark.parametrize(
    ("frame", "code"), [("{", 4002), ('{"op": 3, "d": {}}', 4003), ('{"op": 2, "d": {"token": "x"}}', 4004)]
)
async def test_the_gateway_refuses_what_is_no_frame_of_its(fake: FakeDiscord, frame: str, code: int) -> None:
    """Each with its own code."""
    async with aiohttp.ClientSession() as session, session.ws_connect(fake.gateway_url) as socket:
        await socket.receive_json()
        await socket.send_str(frame)
        assert (await socket.receive()).data == code


async def test_a_connection_can_be_turned_away_or_half_dead(fake: FakeDiscord) -> None:
    """A 503 instead of a WebSocket; heartbeats that nobody answers."""
    fake.gateway.refuse = 1
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(fake.gateway_url)
        async with session.ws_connect(fake.gateway_url) as socket:
            await socket.receive_json()
            await socket.send_json({"op": 1, "d": None})
            assert (await socket.receive_json())["op"] == 11
            fake.gateway.deaf = True
            await socket.send_json({"op": 1, "d": None})
            await fake.until(lambda: fake.gateway.heartbeats == 2)
            await socket.send_json({"op": 99, "d": None})
            assert (await socket.receive()).data == 4003


async def test_channels_that_go_are_gone(fake: FakeDiscord, bot: Bot) -> None:
    """A deleted channel and thread, and one that the bot may not see any more."""
    (guild,) = bot.guilds
    fake.people.drop(RANDOM)
    fake.people.drop(TALK)
    fake.people.deny(GENERAL, "send")
    await fake.until(lambda: [channel.name for channel in guild.text_channels] == ["general"] and not guild.threads)
    assert not guild.text_channels[0].permissions_for(guild.me).send_messages
    fake.people.deny(GENERAL, "view")
    fake.say(content="unseen")
    fake.say(ANN_DM, "seen")
    assert [message.content for message in await bot.hear(1)] == ["seen"]
