"""How a file's name and text stand in a prompt: the text in a block that nothing in it can close. Pure."""

from __future__ import annotations

import re

NAME = 80
"""Characters of a file's name that are shown."""
LANGUAGE = re.compile(r"[a-z0-9+#-]{1,12}")
FENCE = re.compile(r"`{3,}")


def title(name: str) -> str:
    """A file's name on one short line, without what cannot be seen."""
    seen = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
    return f"{seen[: NAME - 1]}…" if len(seen) > NAME else seen or "a file without a name"


def language(name: str) -> str:
    """What a code block of this file is called: the name's ending, if it looks like one."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return ending if LANGUAGE.fullmatch(ending) else ""


def block(name: str, text: str, language: str = "", cut: str = "") -> str:
    """The text under its name, in a fence longer than any in it; `cut` says below it what is missing."""
    fence = "`" * (max(map(len, FENCE.findall(text)), default=2) + 1)
    end = "" if text.endswith("\n") else "\n"
    return f"File {name}:\n{fence}{language}\n{text}{end}{fence}" + (f"\n({cut})" if cut else "")
