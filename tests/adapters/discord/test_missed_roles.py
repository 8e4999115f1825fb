"""Lists of roles hold for what was asked while the bot was away, though Discord's history has no roles."""

from __future__ import annotations

from bot.config.settings import AccessSettings
from tests.adapters.discord.test_missed import MENTION, caught_up, met
from tests.loopback.discord import ANN, BEN, GENERAL, GUILD, OWNER, TALK, FakeDiscord
from tests.loopback.discord.world import HELPERS
from tests.support.discord_app import connected


async def test_who_speaks_is_known_by_their_roles_in_the_meantime_too() -> None:
    """Where lists may name roles: Discord is asked once for each person, and left out who is no member any more."""
    async with FakeDiscord() as discord:
        discord.world.guilds[GUILD].members[ANN].roles.append(HELPERS)
        engine = await met(discord, GENERAL)
        engine.access = AccessSettings(block=(HELPERS,))
        for author in (ANN, BEN, ANN):
            discord.say(GENERAL, f"{MENTION} from {author}", author=author)
        del discord.world.guilds[GUILD].members[BEN]
        async with connected(discord, engine) as app:
            await caught_up(discord, app, 3)
            marks = {question.author.id: question.marks for question in app.engine.answered}
            assert HELPERS in marks[ANN]
            assert HELPERS not in marks[BEN]
            assert sorted(call["user"] for call in discord.called("member")) == [ANN, BEN]


async def test_roles_that_are_not_to_be_had_keep_nobody_else_from_being_answered() -> None:
    """Whose may not be known is not answered; of who does not speak to the bot nobody asks."""
    async with FakeDiscord() as discord:
        engine = await met(discord, GENERAL)
        engine.access = AccessSettings(block=(HELPERS,))
        discord.say(GENERAL, "talk among people", author=OWNER)
        discord.say(GENERAL, f"{MENTION} from Ann")
        discord.say(GENERAL, f"{MENTION} from Ben", author=BEN)
        discord.fail("member", times=2, status=403, body={"code": 50001, "message": "Missing Access"})
        async with connected(discord, engine) as app:
            assert await caught_up(discord, app, 1) == {"from Ben"}
            assert OWNER not in {call["user"] for call in discord.called("member")}


async def test_a_follow_up_without_a_mention_is_known_by_roles_too() -> None:
    """In a thread where the bot takes part."""
    async with FakeDiscord() as discord:
        discord.world.guilds[GUILD].members[BEN].roles.append(HELPERS)
        engine = await met(discord, TALK)
        engine.access = AccessSettings(block=(HELPERS,))
        discord.say(TALK, "and now?", author=BEN)
        async with connected(discord, engine) as app:
            await caught_up(discord, app, 1)
            assert HELPERS in app.engine.answered[0].marks
            assert app.engine.received[0].late
