"""Parley from outside: started as a process, spoken to, stopped, killed, started again."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
import sysconfig
from collections.abc import AsyncIterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest

from tests.loopback.openai import FakeOpenAI
from tests.support.program import ROOT, ExecutedProgram, Program, asking, call, environment, execute, finish, launch
from tests.support.webserver import asked, events

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
    async with ExecutedProgram(tmp_path, **asking(openai)) as program:
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
        warned = {event["event"] for event in program.events if event["level"] in ("warning", "error")}
        assert warned <= {"the event loop is blocked"}  # by a machine that is busy
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
    held = set[str]()
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            held.update(re.findall(r"^socket:\[(\d+)\]$", str(link.readlink())))
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
    process = await execute(tmp_path, "chat", **asking(openai))
    ended = await finish(process, "I am Ada\n\nand who am I?\n/reset\nand now?\n")
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
    ended = await finish(await execute(tmp_path, "check", **asking(openai)))
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
