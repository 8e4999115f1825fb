"""Commands with an argument in Slack: who may set what holds in a channel, and who sees it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.api.ranks import UNSURE
from bot.domain.commands import COMMANDS
from bot.domain.messages import Author, Place
from bot.domain.spending import DenialReason
from bot.texts import NO_ENTRY
from tests.adapters.slack.test_setup import printed
from tests.loopback.slack import ANN, BEN, CHANNEL, DM, ELSEWHERE, GROUP, TEAM, FakeSlack
from tests.loopback.slack.app import connected

HERE = Place(f"slack:{TEAM}:{CHANNEL}", shared=True)


@pytest.mark.parametrize(("name", "argument"), [("model", "openai/gpt"), ("persona", "You are <Nora> & kind.\nVery.")])
async def test_an_argument_is_what_was_typed(name: str, argument: str) -> None:
    """In any case, over several lines, without Slack's escapes; it means the channel, whatever threads there are."""
    async with FakeSlack() as slack, connected(slack, admins=[ANN]) as app:
        slack.slash("/parley", CHANNEL, f" {name.title()}  {argument} ")
        shown = (await slack.until(lambda: slack.answers(CHANNEL)))[0]
        assert shown.shown == f"{name}: done"
        assert app.engine.commands == [(name, HERE, Author(ANN, "ann"))]
        assert (app.engine.arguments, len(app.engine.admins)) == ([argument], 1)
        assert not slack.ephemerals
        assert not slack.called("users.info")


@pytest.mark.parametrize(
    ("rank", "admin"),
    [
        ({}, False),
        ({"is_admin": True}, True),
        ({"is_owner": True}, True),
        ({"is_primary_owner": True}, True),
        ({"is_admin": True, "team_id": "T0OTHER"}, False),
    ],
)
@pytest.mark.parametrize("channel", [CHANNEL, GROUP, ELSEWHERE])
async def test_who_runs_the_workspace_may_set_what_holds_in_a_channel(
    channel: str, rank: dict[str, Any], admin: bool
) -> None:
    """Nobody else, nor who runs another one. What changed is seen by all there, a refusal by the person alone."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.workspace.ranks[BEN] = rank
        slack.slash("/parley", channel, "model openai/gpt", user=BEN)
        await slack.until(lambda: slack.ephemerals or slack.answers(channel))
        assert app.engine.admins == [Author(BEN, "ben")] * admin
        assert [said.shown for said in slack.answers(channel)] == ["model: done"] * admin
        assert [said.shown for said in slack.ephemerals] == ["model: done"] * (not admin)


async def test_who_manages_a_channel_and_is_turned_away_is_told_alone() -> None:
    """The lists hold for them too."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.workspace.ranks[BEN] = {"is_admin": True}
        app.engine.said = NO_ENTRY[DenialReason.PERSON]
        slack.slash("/parley", CHANNEL, "model openai/gpt", user=BEN)
        (shown,) = await slack.until(lambda: slack.ephemerals)
        assert shown.shown == NO_ENTRY[DenialReason.PERSON]
        assert not slack.answers(CHANNEL)


async def test_a_rank_that_is_taken_away_is_gone() -> None:
    """It is asked for each time."""
    async with FakeSlack() as slack, connected(slack) as app:
        for rank, count in (({"is_admin": True}, 1), ({}, 2)):
            slack.workspace.ranks[ANN] = rank
            slack.slash("/parley", CHANNEL, "model x")
            await slack.until(lambda count=count: len(slack.ephemerals) + len(slack.answers()) == count)  # type: ignore[misc]
        assert len(app.engine.commands) == 2
        assert len(app.engine.admins) == 1


async def test_everybody_sets_their_own_direct_messages() -> None:
    """Nobody else is there."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.slash("/parley", DM, "persona You are Nora.")
        await slack.until(lambda: slack.answers(DM))
        assert app.engine.admins == [Author(ANN, "ann")]
        assert app.engine.commands[0][1] == Place(f"slack:{TEAM}:{DM}", direct=True)
        assert not slack.called("users.info")


@pytest.mark.parametrize("name", ["model", "persona", "usage"])
async def test_to_ask_what_is_set_shows_it_to_the_person_alone(name: str) -> None:
    """In a channel at once, also to admins, and without a look at who they are."""
    async with FakeSlack() as slack, connected(slack, admins=[ANN]) as app:
        slack.slash("/parley", CHANNEL, name)
        assert (await slack.until(lambda: slack.ephemerals))[0].shown == f"{name}: done"
        assert (app.engine.commands, app.engine.arguments) == ([(name, HERE, Author(ANN, "ann"))], [""])
        assert not slack.answers(CHANNEL)
        assert not slack.called("users.info")


async def test_without_the_scope_only_the_settings_name_admins() -> None:
    """Slack does not say then who runs the workspace."""
    async with FakeSlack() as slack, connected(slack, admins=[BEN]) as app:
        slack.workspace.scopes.remove("users:read")
        slack.slash("/parley", CHANNEL, "model x")
        await slack.until(lambda: slack.ephemerals)
        slack.slash("/parley", CHANNEL, "model x", user=BEN)
        await slack.until(lambda: slack.answers(CHANNEL))
        assert app.engine.admins == [Author(BEN, "ben")]


async def test_where_slack_cannot_be_asked_nothing_is_set() -> None:
    """And that is said, instead of that they may not."""
    async with FakeSlack() as slack, connected(slack) as app:
        slack.fail("users.info", status=503)
        slack.slash("/parley", CHANNEL, "model x")
        assert (await slack.until(lambda: slack.ephemerals))[0].shown == UNSURE
        assert not app.engine.commands


async def test_what_is_said_of_a_persona_notifies_nobody() -> None:
    """Though all see it, and its text may name everybody; what is too long for a message goes on in further ones."""
    async with FakeSlack() as slack, connected(slack, admins=[ANN]) as app:
        app.engine.said = f"I am told: <!channel> @here <@{BEN}> {'<are friends> ' * 1500}"
        slack.slash("/parley", CHANNEL, "persona x")
        await slack.until(lambda: sum(said.shown.count("<are friends>") for said in slack.answers(CHANNEL)) == 1500)
        assert [said.pings for said in slack.answers(CHANNEL)] == [(), (), ()]


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_whose_form_is_refused_is_sent_as_plain_words(status: int) -> None:
    """The person is not left without it, nor is a persona."""
    async with FakeSlack() as slack, connected(slack, admins=[ANN]) as app:
        slack.fail("response", error="invalid_blocks", status=status)
        slack.slash("/parley", CHANNEL, "usage")
        shown = (await slack.until(lambda: slack.ephemerals))[0]
        assert [block["type"] for block in shown.version.blocks] == ["section"]
        assert shown.shown == "usage: done"
        slack.fail("response", error="invalid_blocks", status=status)
        slack.slash("/parley", CHANNEL, "persona x")
        assert (await slack.until(lambda: slack.answers(CHANNEL)))[0].shown == "persona: done"
        assert len(app.engine.commands) == 2


def test_the_manifest_says_what_can_follow() -> None:
    """Slack shows it while the command is typed."""
    parley = next(command for command in printed()["features"]["slash_commands"] if command["command"] == "/parley")
    assert parley["usage_hint"].split(" | ") == [command.form for command in COMMANDS.values()]
    assert "model [name]" in parley["usage_hint"]
