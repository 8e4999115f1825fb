"""What apps post on Discord, as it comes along with a question."""

from __future__ import annotations

from typing import Any

from tests.adapters.discord.test_surroundings import Looker, ask, seen
from tests.loopback.discord import BOT, ROBOT, FakeDiscord
from tests.loopback.discord.state import Version
from tests.support.discord_app import answered, connected

MENTION = f"<@{BOT}>"
FIGURES = [{"name": f"field {number}", "value": "x" * 60} for number in range(20)]


async def test_what_apps_report_is_read_whole() -> None:
    """Every embed beside the content, and what they answer to a command; what looks like a command in it is none."""
    embeds: list[dict[str, Any]] = [
        {"type": "rich", "title": "High load", "fields": [{"name": "env", "value": "prod"}]},
        {"title": "Second"},
    ]
    async with FakeDiscord() as discord, connected(discord) as app:
        discord.say(content="Triggered", author=ROBOT, embeds=embeds)
        discord.say(author=ROBOT, embeds=[{"description": "/reset"}], kind=20)
        discord.say(content="/reset", author=ROBOT)
        assert await seen(app, await ask(discord, app)) == [
            ("robot", "Triggered\n\nHigh load\nenv: prod\n\nSecond"),
            ("robot", "/reset"),
            ("robot", "/reset"),
        ]


async def test_a_message_of_another_form_costs_no_answer() -> None:
    """It is left out, and the others are read."""
    async with FakeDiscord() as discord, connected(discord) as app:
        odd = discord.say(content="odd")
        discord.say(content="a line")
        question = await ask(discord, app)
        odd.versions.append(Version("odd", embeds=({"color": "red"},)))
        assert await seen(app, question) == [("Ann", "a line")]


async def test_what_a_thread_was_opened_from_is_read_further() -> None:
    """A report has its figures at its end; the lines around are cut as ever."""
    async with FakeDiscord() as discord, connected(discord) as app:
        alert = discord.say(author=ROBOT, embeds=[{"type": "rich", "title": "High load", "fields": FIGURES}])
        thread = discord.people.open_thread(alert.id).id
        discord.say(thread, author=ROBOT, embeds=[{"type": "rich", "fields": FIGURES}])
        (_, topic), (_, line) = await seen(app, await ask(discord, app, channel=thread))
        assert "field 19" in topic
        assert len(line) == 1000


async def test_a_preview_is_no_reply_that_would_be_followed() -> None:
    """It is quoted, and nothing is read before the answer."""
    async with FakeDiscord() as discord, connected(discord, Looker()) as app:
        said = discord.say(content=f"{MENTION} hello", embeds=[{"type": "article", "title": "A page"}])
        await answered(discord, app, 1)
        assert app.engine.answered[0].message_id == said.id
        assert app.engine.answered[0].quote == "A page"
        assert not discord.called("history")
