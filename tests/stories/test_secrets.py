"""Parley as a process with secrets that are known: whatever goes wrong, none of them comes out anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.__main__ import ADAPTERS, _adapter, main
from bot.config.load import exposed, load, schema
from bot.domain.errors import SettingsError
from tests.loopback.anthropic import FakeAnthropic
from tests.loopback.discord import BOT, GENERAL, FakeDiscord
from tests.loopback.openai import FakeOpenAI
from tests.loopback.slack import BOT as SLACK_BOT
from tests.loopback.slack import CHANNEL, FakeSlack
from tests.loopback.slack.delivery import sign
from tests.support.program import PATIENCE, Program, call
from tests.support.webserver import asked

WORD = "the-word-that-somebody-said"
OPENAI, ANTHROPIC, WEB = "known key of openai", "known.key.of.anthropic", "known-key-of-the-page"
"""Like no token that can be told by its looks."""


@dataclass
class World:
    """Both platforms, both providers, and every secret with which Parley comes to them."""

    discord: FakeDiscord
    slack: FakeSlack
    openai: FakeOpenAI
    anthropic: FakeAnthropic

    @property
    def environ(self) -> dict[str, str]:
        """What an operator sets; at the level debug."""
        return {
            "DISCORD_BOT_TOKEN": self.discord.token,
            "PARLEY_DISCORD__API_BASE_URL": self.discord.api_base_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "PARLEY_SLACK__API_BASE_URL": self.slack.api_base_url,
            "OPENAI_API_KEY": OPENAI,
            "OPENAI_BASE_URL": self.openai.base_url,
            "ANTHROPIC_API_KEY": ANTHROPIC,
            "ANTHROPIC_BASE_URL": self.anthropic.base_url,
            "PARLEY_BOT__MODEL": "openai/test-model",
            "PARLEY_BOT__FALLBACK_MODELS": "anthropic/test-model",
            "PARLEY_WEB__API_KEY": WEB,
            "PARLEY_LOG__LEVEL": "debug",
        }

    @property
    def secrets(self) -> list[str]:
        """What must not come out."""
        slack = self.slack
        return [self.discord.token, slack.bot_token, slack.app_token, slack.signing_secret, OPENAI, ANTHROPIC, WEB]

    def search(self, *texts: object) -> list[str]:
        """The secrets that stand in these texts, and the word that somebody said."""
        text = "\n".join(map(str, texts))
        return [secret for secret in (*self.secrets, WORD, "ticket=") if secret in text]


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """All four, each of which admits the right secret alone."""
    async with AsyncExitStack() as stack:
        yield World(
            await stack.enter_async_context(FakeDiscord()),
            await stack.enter_async_context(FakeSlack()),
            await stack.enter_async_context(FakeOpenAI(key=OPENAI)),
            await stack.enter_async_context(FakeAnthropic(key=ANTHROPIC)),
        )


async def written(program: Program) -> str:
    """All that a program wrote, once it has ended."""
    assert program.process.stdout is not None
    out = (await program.process.stdout.read()).decode()
    return "\n".join([out, json.dumps(program.events, ensure_ascii=False), *program.others])


async def get(program: Program, path: str, key: str = WEB) -> str:
    """Status, headers and body of a page."""
    async with program.http.get(path, headers={"Authorization": f"Bearer {key}"}) as response:
        return f"{response.status} {response.headers} {await response.text()}"


async def post(program: Program, message: str, key: str = WEB) -> str:
    """Status, headers and body of an answer."""
    headers = {"Authorization": f"Bearer {key}"}
    async with program.http.post("/chat", json=asked(message, None), headers=headers) as response:
        return f"{response.status} {response.headers} {await response.text()}"


async def test_a_day_of_trouble_tells_no_secret_and_no_word(world: World, tmp_path: Path) -> None:
    """Keys refused and echoed, 5xx that echo them, platforms that refuse: neither logs, pages nor figures have them."""
    pages: list[str] = []
    discord, slack = world.discord, world.slack
    async with Program(tmp_path, **world.environ) as program:
        await program.logged("discord is connected")
        await program.logged("slack is connected")
        for status, kind in ((401, "invalid_api_key"), (500, "server_error"), (403, "permission"), (400, "bad")):
            for provider, key in ((world.openai, OPENAI), (world.anthropic, ANTHROPIC)):
                provider.refuse(status, kind, f"Incorrect API key provided: {key}", {"x-echo": key})
            pages.append(await post(program, f"{WORD} {status}"))
        world.openai.respond(f"<html>{OPENAI}", "text/html", 502)
        world.anthropic.respond(f"data: {ANTHROPIC}", "text/event-stream")
        pages.append(await post(program, WORD))
        discord.fail("post", status=500, body={"message": world.discord.token})
        discord.fail("edit", status=403, body={"code": 50001, "message": WORD})
        discord.say(content=f"<@{BOT}> {WORD}")
        await discord.until(lambda: [said for said in discord.answers(GENERAL) if said.buttons], PATIENCE)
        discord.slash("help")
        slack.fail("chat.update", error="internal_error")
        slack.fail("reactions.add", error="invalid_auth")
        await slack.say(CHANNEL, f"<@{SLACK_BOT}> {WORD}")
        await slack.until(lambda: [said for said in slack.answers() if "again" in str(said.versions[-1])], PATIENCE)
        slack.slash("/parley", CHANNEL, f"help {WORD}")
        await slack.until(lambda: slack.ephemerals, PATIENCE)
        await slack.courier.disconnect()
        for path in ("/metrics", "/readyz", "/healthz", "/about", "/", f"/conversations/{WORD}"):
            pages += [await get(program, path), await get(program, path, key="wrong")]
        pages.append(await post(program, "hello", key="wrong"))
        assert "parley_" in "".join(pages)
        assert await program.stop() == 0
        log = await written(program)
    assert {"debug", "info", "warning"} <= {event["level"] for event in program.events}
    assert world.search(log) == []
    assert set(world.search(*pages)) <= {WORD}  # an answer says it again to whoever asked


async def test_with_texts_questions_and_answers_are_logged_but_no_secret(world: World, tmp_path: Path) -> None:
    """For whoever looks for a fault and says so; the same question is in no log without the setting."""
    async with Program(tmp_path, **world.environ, PARLEY_LOG__TEXTS="true") as program:
        await program.logged("discord is connected")
        await post(program, f"{WORD} {OPENAI}")
        said = await program.logged("said")
        await program.stop()
        log = await written(program)
    assert said["question"] == [f"{WORD} [secret]"]
    assert said["answer"].startswith("You said: ")
    assert not [secret for secret in world.secrets if secret in log]


@pytest.mark.parametrize("wrong", ["DISCORD_BOT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_a_refused_login_tells_no_token(world: World, tmp_path: Path, wrong: str) -> None:
    """Of what was refused, and of the others."""
    environ = world.environ
    environ[wrong] = world.environ[wrong][:-4] + "0000"
    async with Program(tmp_path, **environ) as program:
        await program.logged("an adapter cannot start")
        pages = [await get(program, path) for path in ("/metrics", "/readyz")]
        await program.stop()
        log = await written(program)
    assert world.search(log, *pages) == []
    assert environ[wrong] not in log + "".join(pages)


async def test_slack_over_http_tells_no_signing_secret(world: World, tmp_path: Path) -> None:
    """Signed well or badly, understood or not."""
    body = json.dumps({"type": "event_callback", "text": WORD}).encode()
    environ = {**world.environ, "SLACK_APP_TOKEN": ""}
    async with Program(tmp_path, **environ) as program:
        await program.logged("logged in to slack")
        good = sign(world.slack.signing_secret, body)
        for headers in (good, sign("wrong", body), {**good, "X-Slack-Request-Timestamp": WORD}, {}):
            async with program.http.post("/slack/events", data=body, headers=headers) as response:
                assert world.search(response.headers, await response.text()) == []
        await program.stop()
        assert world.search(await written(program)) == []


@pytest.mark.parametrize("right", [True, False])
async def test_no_command_prints_a_secret(world: World, tmp_path: Path, right: bool) -> None:
    """Whether the secrets are right or refused."""
    environ = world.environ
    names = ("DISCORD_BOT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    for name in () if right else names:
        environ[name] = environ[name][:-4] + "0000"
    for command in ("check", "invite", "manifest", "chat"):
        ended = await call(tmp_path, command, typed="hello\n", **environ)
        assert world.search(ended.out, ended.err) == []
        assert not [name for name in (*names, "PARLEY_WEB__API_KEY") if environ[name] in ended.out + ended.err]
        assert command != "check" or ended.out.count("\n") > 5


BROKEN = {
    "no TOML": '[openai]\napi_key = "{secret}" and more\n',
    "an unknown key": '[openai]\napi_kee = "{secret}"\n',
    "an unknown section": '[opena]\napi_key = "{secret}"\n',
    "a secret outside of a section": 'api_key = "{secret}"\n',
    "a list": '[openai]\napi_key = ["{secret}"]\n',
    "a table": '[openai.api_key]\nkey = "{secret}"\n',
    "a secret in another place": '[openai]\ntimeout = "{secret}"\n',
    "one that stands beside a mistake": '[openai]\napi_key = "{secret}"\ntimeout = -1\n',
    "a secret as a section": 'openai = "{secret}"\n',
    "a secret in a level": '[log]\nlevel = "{secret}"\n',
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_broken_settings_file_is_explained_without_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    """One sentence, with the place of the mistake."""
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(BROKEN[mistake].format(secret=OPENAI))
    for command in ("run", "check"):
        assert main([command]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("parley: ")
        assert OPENAI not in told.err


@pytest.mark.parametrize("name", ["PARLEY_OPENAI__TIMEOUT", "PARLEY_OPENAI__API_KEE", "PARLEY_API_KEY"])
def test_a_mistake_in_the_environment_is_explained_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """By the variable's name alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, OPENAI)
    assert main([]) == 1
    told = capsys.readouterr().err
    assert name in told
    assert OPENAI not in told


def test_settings_show_no_secret_however_they_are_written_down(world: World) -> None:
    """Their repr, their text, as values and as JSON; a mistake in them neither."""
    shape = schema({name: _adapter(name).Settings for name in ADAPTERS})
    settings = load(shape, None, world.environ)
    sections = [getattr(settings, name) for name in type(settings).model_fields]
    shown = [str(settings), settings.model_dump(), settings.model_dump(mode="json"), settings.model_dump_json()]
    assert world.search(repr(settings), *shown, *map(repr, sections), *map(str, sections)) == []
    assert "**********" in repr(settings)
    with pytest.raises(SettingsError) as refused:
        load(shape, None, {**world.environ, "PARLEY_OPENAI__TIMEOUT": OPENAI})
    assert world.search(repr(refused.value), refused.value.__cause__, refused.value.__context__) == []


@pytest.mark.parametrize(
    ("file", "content", "mode", "warned"),
    [
        ("config.toml", "[openai]\napi_key = 'x-y-z'\n", 0o644, True),
        ("config.toml", "[openai]\napi_key = 'x-y-z'\n", 0o640, True),
        ("config.toml", "[openai]\napi_key = 'x-y-z'\n", 0o600, False),
        ("config.toml", "[openai]\napi_key = ''\n", 0o644, False),
        ("config.toml", "[bot]\nhistory = 4\n", 0o644, False),
        (".env", "OPENAI_API_KEY=x-y-z\n", 0o644, True),
        (".env", "OPENAI_API_KEY=x-y-z\n", 0o600, False),
        (".env", "PARLEY_BOT__HISTORY=4\n", 0o644, False),
    ],
)
def test_a_file_with_secrets_that_others_can_read_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str, mode: int, warned: bool
) -> None:
    """Only one with a secret in it, and only where its rights let others in."""
    if os.name != "posix":
        pytest.skip("the rights of files are others here")
    monkeypatch.chdir(tmp_path)
    Path(file).write_text(content)
    Path(file).chmod(mode)
    shape = schema({name: _adapter(name).Settings for name in ADAPTERS})
    assert exposed(shape, None) == ([Path(file)] if warned else [])


async def test_the_start_warns_of_it(tmp_path: Path) -> None:
    """With the file and what to do, not with the secret; `parley check` too."""
    file = tmp_path / "config.toml"
    file.write_text(f"[openai]\napi_key = '{OPENAI}'\nbase_url = 'http://127.0.0.1:9/v1'\n")
    file.chmod(0o644)
    async with Program(tmp_path) as program:
        line = await program.logged("other users of this machine can read the secrets in a file")
        assert (line["level"], line["file"], line["do"]) == ("warning", "config.toml", "chmod 600")
        await program.stop()
        assert OPENAI not in await written(program)
    ended = await call(tmp_path, "check")
    assert "can read the secrets in a file" in ended.err
    assert OPENAI not in ended.out + ended.err
