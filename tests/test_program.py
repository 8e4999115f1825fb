"""Parley from outside: started as a process, spoken to, stopped, killed, started again."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sqlite3
import sys
import sysconfig
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

import pytest

from tests.loopback.openai import FakeOpenAI
from tests.program import ROOT, Program, asking, call, environment, launch
from tests.webserver import asked, events

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
async def openai() -> AsyncIterator[FakeOpenAI]:
    """A provider that only admits KEY."""
    async with FakeOpenAI(key=KEY) as provider:
        yield provider


async def say(program: Program, message: str, conversation: str | None = None) -> tuple[str, str]:
    """POST /chat: the answer, and the conversation's id."""
    async with program.http.post("/chat", json=asked(message, conversation)) as response:
        assert response.status == 200, await response.text()
        body = await response.json()
        return body["response"], body["conversation_id"]


async def status(program: Program, method: str, path: str) -> int:
    """The status of a request."""
    async with program.http.request(method, path) as response:
        return response.status


async def test_it_answers_remembers_and_forgets(tmp_path: Path, openai: FakeOpenAI) -> None:
    """An answer over HTTP, the same conversation after a restart and after a crash, and nothing after a DELETE."""
    async with Program(tmp_path, **asking(openai)) as program:
        assert await status(program, "GET", "/readyz") == 200
        answer, conversation = await say(program, "my cat is called Mia")
        assert answer == "You said: my cat is called Mia"
        assert await program.stop() == 0
        await program.start()
        answer, _ = await say(program, "and my dog Rex", conversation)
        assert answer == "You said: and my dog Rex\n\nBefore that you said: my cat is called Mia"
        await program.kill()
        await program.start()
        async with program.http.get(f"/conversations/{conversation}") as response:
            assert [message["role"] for message in (await response.json())["messages"]] == ["user", "assistant"] * 2
        assert await status(program, "DELETE", f"/conversations/{conversation}") == 200
        assert await status(program, "GET", f"/conversations/{conversation}") == 404
        assert await program.stop() == 0
        await program.start()
        assert await status(program, "GET", f"/conversations/{conversation}") == 404
    for file in (tmp_path / "data").iterdir():
        assert b"Mia" not in file.read_bytes(), file


async def test_the_log_says_which_model_answers_and_why(tmp_path: Path, openai: FakeOpenAI) -> None:
    """One line at the start; and no line has the key, or what was said."""
    async with Program(tmp_path, **asking(openai), PARLEY_LOG__LEVEL="debug") as program:
        chosen = await program.logged("model chosen")
        assert (chosen["model"], chosen["because"]) == ("openai/test-model", "openai.base_url is set")
        await say(program, "the-secret-word")
        await program.stop()
        assert [event["event"] for event in program.events if event["level"] in ("warning", "error")] == []
        assert program.others == []
        assert KEY not in json.dumps(program.events)
        assert "the-secret-word" not in json.dumps(program.events)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_a_live_reply_is_finished_before_it_stops(
    tmp_path: Path, openai: FakeOpenAI, name: signal.Signals
) -> None:
    """SIGTERM and Ctrl-C: what is being written is written to its end, then the program exits with 0."""
    async with Program(tmp_path, **asking(openai)) as program:
        script = openai.script()
        async with program.http.post("/chat/stream", json=asked("hello", None)) as response:
            stream = events(response)
            await script.send("One, ")
            assert await anext(stream) == ("token", {"text": "One, "})
            program.process.send_signal(name)
            await program.logged("stopping")
            await script.send("two.")
            await script.end()
            assert [event async for event in stream][:1] == [("token", {"text": "two."})]
        assert await program.exited() == 0
        assert program.others == []


async def test_a_reply_without_end_is_closed_honestly(tmp_path: Path, openai: FakeOpenAI) -> None:
    """When the grace is over, the reader is told; what there was is remembered; the program exits with 0."""
    async with Program(tmp_path, **asking(openai), PARLEY_BOT__GRACE="0.5") as program:
        script = openai.script()
        async with program.http.post("/chat/stream", json=asked("hello", None)) as response:
            stream = events(response)
            await script.send("One, ")
            await anext(stream)
            program.process.send_signal(signal.SIGTERM)
            [(ending, data)] = [event async for event in stream]
        assert ending == "done"
        assert data["note"].startswith("Interrupted: I am being restarted.")
        assert await program.exited() == 0
        await program.start()
        async with program.http.get(f"/conversations/{data['conversation_id']}") as response:
            assert [message["content"] for message in (await response.json())["messages"]] == ["hello", "One, "]


async def test_with_nothing_to_finish_it_stops_at_once(tmp_path: Path, openai: FakeOpenAI) -> None:
    """The time for live replies is not waited out."""
    async with Program(tmp_path, **asking(openai), PARLEY_BOT__GRACE="600") as program:
        assert await program.stop(signal.SIGINT) == 0
        assert [event["event"] for event in program.events[-2:]] == ["stopping", "stopped"]


@pytest.mark.parametrize(
    ("toml", "environ", "told"),
    [
        ("[bot]\nmodle = 'x'", {}, ["bot.modle in config.toml", "docs/configuration.md"]),
        ("model = 'x'", {}, ["config.toml: model belongs into the section [bot]"]),
        ("[web]\nport = 'x'", {"PARLEY_WEB__PORT": ""}, ["web.port in config.toml", "valid integer"]),
        ("", {"PARLEY_BOT__MODLE": "x"}, ["PARLEY_BOT__MODLE in the environment", "docs/configuration.md"]),
        ("", {"PARLEY_MODEL": "x"}, ["PARLEY_MODEL", "write it as PARLEY_BOT__MODEL"]),
        ("", {"PARLEY_BOT__MODEL": "nobody/x"}, ["bot.model must be", '"nobody/x"']),
        ("", {"PARLEY_BOT__MODEL": "openai/x"}, ["openai/x needs a key", "set OPENAI_API_KEY"]),
        ("", {"PARLEY_BOT__MODEL": "anthropic/x"}, ["anthropic/x needs a key", "set ANTHROPIC_API_KEY"]),
        ("", {"PARLEY_STORAGE__PATH": "config.toml/x.db"}, ["config.toml/x.db", "set storage.path"]),
        ("", {"PARLEY_WEB__HOST": "no.such.host.invalid"}, ["web.host no.such.host.invalid", "127.0.0.1"]),
    ],
)
async def test_a_bad_setting_is_one_sentence(
    tmp_path: Path, toml: str, environ: dict[str, str], told: list[str]
) -> None:
    """On stderr, with the key or file and what to do; the exit code is 1 and there is no traceback."""
    (tmp_path / "config.toml").write_text(toml)
    await refused(tmp_path, *told, **environ)


async def refused(folder: Path, *told: str, arguments: str = "run", **environ: str) -> None:
    ended = await call(folder, *arguments.split(), **environ)
    assert (ended.code, ended.out) == (1, "")
    [sentence] = ended.sentences
    assert sentence.startswith("parley: ")
    assert sentence.endswith(".")
    assert [part for part in told if part not in sentence] == [], sentence
    assert "Traceback" not in ended.err


async def test_a_settings_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """`--config` before or after the command."""
    for arguments in ("--config my.toml", "run --config my.toml", "check --config my.toml"):
        await refused(tmp_path, "my.toml", "give --config a file that exists", arguments=arguments)


async def test_a_settings_file_that_is_named_is_read(tmp_path: Path) -> None:
    """Also where it is not in the working directory."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "my.toml").write_text("[bot]\nmodel = 'nobody/x'")
    await refused(tmp_path, "nobody/x", arguments="--config else/my.toml")


async def test_a_database_of_a_newer_parley_is_left_alone(tmp_path: Path, openai: FakeOpenAI) -> None:
    """The file stays as it was."""
    async with Program(tmp_path, **asking(openai)) as program:
        assert await program.stop() == 0
    file = tmp_path / "data" / "parley.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    before = file.read_bytes()
    await refused(tmp_path, "data/parley.db", "newer Parley", "upgrade this one", **asking(openai))
    assert file.read_bytes() == before


@pytest.mark.parametrize(("content", "told"), [(b"", "another program's database"), (b"x" * 4096, "not a SQLite file")])
async def test_a_file_of_something_else_is_left_alone(
    tmp_path: Path, openai: FakeOpenAI, content: bytes, told: str
) -> None:
    """Another program's database, and what is no database at all."""
    file = tmp_path / "other.db"
    file.write_bytes(content)
    if not content:
        with sqlite3.connect(file) as db:
            db.execute("CREATE TABLE theirs (x)")
        db.close()
    before = file.read_bytes()
    await refused(tmp_path, "other.db", told, "set storage.path", PARLEY_STORAGE__PATH="other.db", **asking(openai))
    assert file.read_bytes() == before


async def test_a_busy_port_is_told(tmp_path: Path, openai: FakeOpenAI) -> None:
    """With its number and the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        await refused(tmp_path, f"web.port {port} is in use", "set web.port", PARLEY_WEB__PORT=port, **asking(openai))


async def test_a_hosting_platforms_port_opens_all_addresses_but_not_the_page(
    tmp_path: Path, openai: FakeOpenAI
) -> None:
    """With PORT it listens on 0.0.0.0; without web.api_key only the health checks are served, and the log says so."""
    async with Program(tmp_path, **asking(openai), PORT="0") as program:
        assert "web.api_key" in (await program.logged("the page and the API are closed"))["reason"]
        await program.logged(
            "the memory may be on an ephemeral disk, lost at each restart: mount a volume and set storage.path to it"
        )
        assert await status(program, "GET", "/healthz") == 200
        assert await status(program, "GET", "/readyz") == 200
        for method, path in (("GET", "/"), ("POST", "/chat"), ("GET", "/conversations/x"), ("GET", "/metrics")):
            assert await status(program, method, path) == 403
        assert listening(program.process.pid) == {"0.0.0.0"}


def listening(process: int) -> set[str]:
    """The IPv4 addresses that a process listens on, as Linux has them."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells which sockets a process has")
    links = Path(f"/proc/{process}/fd").iterdir()
    held = {found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())))}
    rows = [row.split() for row in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]]
    ours = [row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in held]
    return {socket.inet_ntoa(bytes.fromhex(address)[::-1]) for address in ours}


async def test_with_a_key_everybody_who_has_it_may_ask(tmp_path: Path, openai: FakeOpenAI) -> None:
    """PORT and web.api_key together open the API, to those with the key alone."""
    async with Program(tmp_path, **asking(openai), PORT="0", PARLEY_WEB__API_KEY="open sesame") as program:
        assert await status(program, "POST", "/chat") == 401
        program.http.headers["Authorization"] = "Bearer open sesame"
        assert (await say(program, "hello"))[0] == "You said: hello"


async def test_chat_answers_what_is_piped_in(tmp_path: Path, openai: FakeOpenAI) -> None:
    """Each line is a question; the end of the input is the end; no prompt and no log is in between."""
    ended = await call(tmp_path, "chat", typed="I am Ada\n\nand who am I?\n/reset\nand now?\n", **asking(openai))
    assert (ended.code, ended.err) == (0, "")
    [heading, *lines] = ended.out.splitlines()
    assert "openai/test-model" in heading
    assert lines[:3] == ["You said: I am Ada", "You said: and who am I?", ""]
    assert lines[3:] == [
        "Before that you said: I am Ada",
        "Done: I have forgotten this conversation.",
        "You said: and now?",
    ]


async def test_chat_writes_while_the_model_does(tmp_path: Path, openai: FakeOpenAI) -> None:
    """Words stand there before the answer is whole, also in a pipe."""
    script = openai.script()
    process = await launch(tmp_path, "chat", **asking(openai))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"hello\n")
    await process.stdout.readline()
    await script.send("One, ")
    assert await process.stdout.readexactly(5) == b"One, "
    await script.send("two.")
    await script.end()
    process.stdin.close()
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"two.\n", b"")


async def test_check_finds_everything_well(tmp_path: Path, openai: FakeOpenAI) -> None:
    """A table with a row for each thing, and exit code 0; the model is really asked."""
    ended = await call(tmp_path, "check", **asking(openai))
    assert (ended.code, ended.err) == (0, "")
    for row in (r"settings +ok", r"database +ok +data/parley\.db", r"model +ok +openai/test-model answers", r"web +ok"):
        assert re.search(f"^{row}", ended.out, re.MULTILINE), ended.out
    assert openai.asked == 1


async def test_check_tells_what_to_mend(tmp_path: Path, openai: FakeOpenAI) -> None:
    """What fails says so with its mend, the rest is still looked at, and the exit code is 1; no key is shown."""
    (tmp_path / "other.db").write_bytes(b"x" * 4096)
    wrong = {**asking(openai), "OPENAI_API_KEY": "sk-wrong-0123456789abcdef", "PARLEY_BOT__MODEL": "openai/test-model"}
    ended = await call(tmp_path, "check", PARLEY_STORAGE__PATH="other.db", **wrong)
    assert ended.code == 1
    assert re.search(r"^database +FAIL +other\.db is not a SQLite file", ended.out, re.MULTILINE), ended.out
    assert re.search(r"^model +FAIL +openai/test-model", ended.out, re.MULTILINE), ended.out
    assert re.search(r"^web +ok", ended.out, re.MULTILINE), ended.out
    assert "sk-wrong-0123456789abcdef" not in ended.out + ended.err
    assert "Traceback" not in ended.err


async def test_the_manifest_is_one_that_slack_reads(tmp_path: Path) -> None:
    """It needs no settings, and is nothing but the manifest."""
    ended = await call(tmp_path, "manifest")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["display_information"]["name"]


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return [entry.name for entry in folder.iterdir()]


async def test_no_file_is_written_by_looking(tmp_path: Path) -> None:
    """`--help`, `--version` and `manifest` leave the folder as it is, and work beside broken settings but the last."""
    (tmp_path / "config.toml").write_text("broken =")
    assert (await call(tmp_path, "--help")).code == 0
    ended = await call(tmp_path, "--version")
    assert (ended.code, ended.out) == (0, f"parley {metadata.version('parley')}\n")
    (tmp_path / "config.toml").unlink()
    assert (await call(tmp_path, "manifest")).code == 0
    assert names(tmp_path) == []


async def test_an_unknown_command_is_told_with_those_that_exist(tmp_path: Path) -> None:
    """As argparse does, with its exit code 2."""
    ended = await call(tmp_path, "dance")
    assert ended.code == 2
    assert "invalid choice: 'dance'" in ended.err
    assert "manifest" in ended.err


async def test_a_checkout_that_is_not_installed_knows_its_version(tmp_path: Path) -> None:
    """`python -m bot` beside everything that it needs but its own installation."""
    packages = Path(sysconfig.get_path("purelib"))
    for name in names(packages):
        if not name.startswith("parley-"):
            (tmp_path / name).symlink_to(packages / name)
    environ = environment(tmp_path, {"PYTHONPATH": f"{ROOT}:{tmp_path}"})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-m", "bot", "--version", cwd=tmp_path, env=environ, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert (process.returncode, out.decode()) == (0, f"parley {metadata.version('parley')}\n")
