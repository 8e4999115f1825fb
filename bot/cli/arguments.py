"""What is typed after `parley`."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from bot.cli.usage import GROUPINGS
from bot.interactions.usage import DEFAULT_DAYS

COMMANDS = {
    "run": "start the bot (what `parley` alone does)",
    "chat": "a conversation in the terminal",
    "check": "is everything set up right?",
    "manifest": "print the Slack app manifest",
    "invite": "print the Discord invite link",
    "usage": "what was asked and what it cost: --by day, place, person or model, --days 30",
    "backup": "copy the memory to PATH, a new file, also while Parley runs",
    "restore": "put the backup PATH in the place of the memory, while Parley is stopped",
}
WITH_PATH = ("backup", "restore")
"""Commands that take a PATH."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What was typed: `command`, `config`, `version`, and what a command takes besides; exits where it is wrong."""
    parser = argparse.ArgumentParser("parley", description="An LLM bot for Discord and Slack.")
    parser.add_argument("--version", action="store_true", help="print the version")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="the settings file (config.toml)")
    parser.add_argument("--config", type=Path, default=None, help="the settings file (config.toml)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, parents=[common])
        if name in WITH_PATH:
            command.add_argument("path", type=Path, metavar="PATH")
        if name == "usage":
            command.add_argument("--by", choices=GROUPINGS, default="day", help="what each row is about (day)")
            command.add_argument(
                "--days", type=_days, default=DEFAULT_DAYS, help=f"how many days back ({DEFAULT_DAYS})"
            )
    options = parser.parse_args(arguments)
    options.command = options.command or "run"
    return options


def _days(text: str) -> int:
    """A number of days that a calendar has."""
    if not text.isdecimal() or not 0 < int(text) <= 36_500:
        raise argparse.ArgumentTypeError("give a whole number from 1 to 36500")
    return int(text)


def version() -> str:
    """Parley's version."""
    try:
        return metadata.version("parley")
    except metadata.PackageNotFoundError:  # run from a checkout
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])
