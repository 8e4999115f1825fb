"""What a start of Parley imports, against importing all four SDKs; each in a process of its own."""

from __future__ import annotations

import os
import sys
from subprocess import Popen

from benchmarks.table import lay, verdict

ALL = "import discord, slack_bolt.async_app, openai, anthropic"
CORE = "import bot.__main__, adapters.discord, adapters.slack, adapters.web.server"
CLIENT = (
    "import asyncio; from pydantic import SecretStr; from bot.models.protocols.factory import make_{0}; "
    "asyncio.run(make_{0}("
    "name='{0}/m', model='m', api_key=SecretStr('key'), base_url='', timeout=60, reader='it'))"
)
STARTS = {
    "Discord, OpenAI: until it is ready": (f"{CORE}; import adapters.discord.adapter", 0.4),
    "Slack, Anthropic: until it is ready": (f"{CORE}; import adapters.slack.adapter", 0.7),
    "Discord, OpenAI: and the model's client, loaded meanwhile": (
        f"{CORE}; import adapters.discord.adapter; {CLIENT.format('openai')}",
        None,
    ),
    "Slack, Anthropic: and the model's client, loaded meanwhile": (
        f"{CORE}; import adapters.slack.adapter; {CLIENT.format('anthropic')}",
        None,
    ),
}
"""What each start imports, and the most of the four SDKs' time that it may take."""
ROUNDS = 3


def spend(code: str) -> float:
    """Processor seconds of a fresh Python that runs this."""
    with Popen([sys.executable, "-c", code]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{code} failed")
    return usage.ru_utime + usage.ru_stime


def measure() -> tuple[float, dict[str, float]]:
    """Processor seconds of importing all SDKs and of each start: the least of interleaved rounds."""
    rounds = [[spend(code) for code in (ALL, *(code for code, _ in STARTS.values()))] for _ in range(ROUNDS)]
    base, *starts = (min(seconds) for seconds in zip(*rounds, strict=True))
    return base, dict(zip(STARTS, starts, strict=True))


def report() -> str:
    """What starts cost."""
    base, spent = measure()
    rows, lines = [("importing all four SDKs", f"{base * 1000:.0f}", "1.00")], []
    for name, seconds in spent.items():
        ratio, goal = seconds / base, STARTS[name][1]
        rows.append((name, f"{seconds * 1000:.0f}", f"{ratio:.2f}"))
        if goal:
            lines.append(f"{name} it takes {ratio:.2f} of all four: {verdict(ratio <= goal)} {goal}.")
    return "\n".join([lay(("start", "ms", "of all four"), rows), "", *lines])
