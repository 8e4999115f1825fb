"""The loopback Discord is as strict as the real one: what these tests hold, the adapter's tests rest on."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from tests.loopback.discord import ANN, ANN_DM, BEN, BOT, BOT_ROLE, GENERAL, GUILD, HELPERS, ROBOT, TALK, FakeDiscord
from tests.loopback.discord.rules import CONTENT

SAMPLES = Path(__file__).parent / "samples"
NOBODY = discord.AllowedMentions.none()


THREADS = {"parent_id", "owner_id", "thread_metadata", "member_count", "member_ids_preview", "message_count", "member"}
"""What only a channel that is a thread has."""


class Bot(discord.Client):
    """The real client, which keeps the messages that it hears."""

    def __init__(self, fake: FakeDiscord, content: bool = True) -> None:
        intents = discord.Intents(guilds=True, messages=True, message_content=content, guild_reactions=True)
        super().__init__(intents=intents, guild_ready_timeout=0.05, max_messages=None)
        self.fake = fake
        self.heard: list[discord.Message] = []
        self.edits: list[discord.RawMessageUpdateEvent] = []
        self.deleted: list[discord.RawMessageDeleteEvent] = []
        self.tree = app_commands.CommandTree(self)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify again without the pause that the platform asks for."""

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.fake.change()

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        self.edits.append(event)
        self.fake.change()

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.deleted.append(event)
        self.fake.change()

    async def hear(self, count: int) -> list[discord.Message]:
        """The messages, once there are so many."""
        await self.fake.until(lambda: len(self.heard) >= count)
        return self.heard

    def at(self, channel: str = GENERAL) -> discord.PartialMessageable:
        """A channel to post in."""
        return self.get_partial_messageable(int(channel))


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord that discord.py is pointed at."""
    base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    async with FakeDiscord() as fake:
        discord.http.Route.BASE = fake.api_base_url
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(fake.gateway_url)
        yield fake
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@asynccontextmanager
async def online(bot: Bot) -> AsyncIterator[Bot]:
    """The client while it is connected and ready."""
    task = asyncio.create_task(bot.start(bot.fake.token))
    try:
        await bot.fake.until(lambda: bot.is_ready() or task.done())
        if task.done():
            task.result()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def bot(fake: FakeDiscord) -> AsyncIterator[Bot]:
    """A client that is ready."""
    async with online(Bot(fake)) as bot:
        yield bot


class Caller:
    """Calls routes by hand, for what the client does not wait or does not do."""

    def __init__(self, fake: FakeDiscord, session: aiohttp.ClientSession) -> None:
        self._fake = fake
        self._session = session

    async def __call__(self, method: str, path: str, token: str = "", **body: Any) -> aiohttp.ClientResponse:
        headers = {"Authorization": f"Bot {token or self._fake.token}"}
        answer = await self._session.request(method, self._fake.api_base_url + path, json=body, headers=headers)
        await answer.read()
        return answer

    async def post(self, channel: str = GENERAL, **body: Any) -> aiohttp.ClientResponse:
        """A post."""
        return await self("POST", f"/channels/{channel}/messages", **body)

    async def code(self, method: str, path: str, **body: Any) -> tuple[int, int]:
        """The status and Discord's code."""
        answer = await self(method, path, **body)
        return answer.status, (await answer.json())["code"]


@pytest.fixture
async def call(fake: FakeDiscord) -> AsyncIterator[Caller]:
    """Somebody to call it by hand."""
    async with aiohttp.ClientSession() as session:
        yield Caller(fake, session)


@pytest.fixture
def tight(fake: FakeDiscord) -> list[float]:
    """A time that the test sets by its first element, and limits that bite."""
    now = [100.0]
    fake.clock = lambda: now[0]
    return now


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


async def commanding(bot: Bot) -> None:
    """Register a command that the tests give."""

    @bot.tree.command(description="Forget.")
    async def reset(interaction: discord.Interaction, which: str = "this") -> None:
        if which == "later":
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.edit_original_response(content="thought about it")
        elif which != "nothing":
            await interaction.response.send_message(f"forgot {which}", ephemeral=True)
            await interaction.followup.send("and more", ephemeral=True)

    @reset.autocomplete("which")
    async def complete(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed}!", value=typed)]

    await bot.tree.sync()


async def test_a_command_is_answered_in_private(fake: FakeDiscord, bot: Bot) -> None:
    """At once, or after the sign that it thinks; nobody else sees it."""
    await commanding(bot)
    at_once = fake.slash("reset", options={"which": "all"})
    await fake.until(lambda: len(at_once.messages) == 2)
    assert at_once.shown == ["forgot all", "and more"]
    assert at_once.private
    later = fake.slash("reset", ANN_DM, options={"which": "later"})
    await fake.until(lambda: later.shown)
    assert later.shown == ["thought about it"]
    assert fake.answers() == fake.answers(ANN_DM) == []
    typed = fake.complete("reset", "which", "a")
    await fake.until(lambda: typed.answered)
    assert typed.choices == [{"name": "a!", "value": "a"}]
    with pytest.raises(AssertionError):
        fake.slash("unknown")


async def test_an_interaction_is_acknowledged_once_and_in_time(fake: FakeDiscord, bot: Bot, call: Caller) -> None:
    """A second time is 40060; after three seconds it is unknown; what follows needs an answer first."""
    now = [0.0]
    fake.clock = lambda: now[0]
    await commanding(bot)
    one, late = [fake.slash("reset", options={"which": "nothing"}) for _ in range(2)]
    assert await call.code("POST", f"/webhooks/{BOT}/{one.token}", content="x") == (404, 10015)
    path = f"/interactions/{one.id}/{one.token}/callback"
    assert (await call("POST", path, type=4, data={"content": "x", "flags": 64})).status == 204
    assert await call.code("POST", path, type=4, data={"content": "y"}) == (400, 40060)
    now[0] = 3.1
    path = f"/interactions/{late.id}/{late.token}/callback"
    assert await call.code("POST", path, type=4, data={"content": "x"}) == (404, 10062)
    assert (await call("PATCH", f"/webhooks/{BOT}/{one.token}/messages/@original", content="z")).status == 200
    assert one.shown == ["z"]
    now[0] = 901.0
    assert await call.code("POST", f"/webhooks/{BOT}/{one.token}", content="x") == (401, 50027)


async def test_a_button_is_pressed(fake: FakeDiscord, bot: Bot) -> None:
    """It acknowledges without a word, or changes its message; one that is not shown cannot be pressed."""
    view = discord.ui.View(timeout=None)
    button: discord.ui.Button[discord.ui.View] = discord.ui.Button(label="Stop", custom_id="stop:1")

    async def pressed(interaction: discord.Interaction) -> None:
        if interaction.user.name == "ann":
            await interaction.response.edit_message(content="stopped", view=None)
        else:
            await interaction.response.defer()

    button.callback = pressed  # type: ignore[method-assign]
    view.add_item(button)
    message = str((await bot.at().send("x", view=view)).id)
    assert fake.message(message).buttons == ["stop:1"]
    quiet = fake.click(message, "stop:1", BEN)
    await fake.until(lambda: quiet.answered)
    assert (quiet.shown, fake.shown(message)) == ([], "x")
    loud = fake.click(message)
    await fake.until(lambda: loud.answered)
    assert (fake.shown(message), fake.message(message).buttons) == ("stopped", [])
    with pytest.raises(AssertionError):
        fake.click(message, "stop:1")


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


def recorded(name: str, key: str) -> dict[str, Any]:
    """A recorded payload."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))[key]
    return found.get("data", found) if "timestamp" in found else found


def missing(real: Any, ours: Any, path: str = "") -> list[str]:
    """What a recorded payload has and ours has not; lists are compared by their first elements."""
    if isinstance(real, dict) and isinstance(ours, dict):
        gone = [f"{path}.{key}" for key in real.keys() - ours.keys()]
        return gone + [
            one for key in real.keys() & ours.keys() for one in missing(real[key], ours[key], f"{path}.{key}")
        ]
    if isinstance(real, list) and isinstance(ours, list) and real and ours:
        return missing(real[0], ours[0], path)
    same = type(real) is type(ours) or None in (real, ours)
    return [] if same else [f"{path}: {type(real).__name__} is {type(ours).__name__}"]


async def test_events_have_the_recorded_shape(fake: FakeDiscord, bot: Bot) -> None:
    """Every key that Discord sent, and each of its kind, but for a few that no client needs."""
    await commanding(bot)
    said = fake.say(content=f"<@{BOT}> <@&{BOT_ROLE}>")
    fake.people.open_thread(said.id)
    message = str(
        (await bot.at().send("x", view=discord.ui.View().add_item(discord.ui.Button(custom_id="a", label="b")))).id
    )
    fake.people.react(message, "👍")
    fake.click(message)
    view = discord.ui.View().add_item(discord.ui.Button(custom_id="a", label="b"))
    fake.click(str((await bot.at(ANN_DM).send("x", view=view)).id))
    events = fake.gateway.sessions[0].events
    heard = {event["t"]: event["d"] for event in reversed(events)}
    for name, key, ours in (
        ("discord-messages", "gatewayMention", heard["MESSAGE_CREATE"]),
        ("discord-messages", "gatewayRoleMention", heard["MESSAGE_CREATE"]),
        ("discord-threads-reactions", "gatewayThreadCreate", heard["THREAD_CREATE"]),
        ("discord-threads-reactions", "gatewayReactionAdd", heard["MESSAGE_REACTION_ADD"]),
        ("discord-interactions", "buttonClickHello", heard["INTERACTION_CREATE"]),
        ("discord-interactions", "dmButtonClick", events[-1]["d"]),
    ):
        lacking = {one.rpartition(".")[2] for one in missing(recorded(name, key), ours)}
        assert lacking <= {"nonce", "bot", "display_name", "unusual_dm_activity_until"} | THREADS
