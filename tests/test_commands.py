"""What people can tell the bot itself: a command is one only when it is all that was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import COMMANDS, match


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", ["/{}", "  /{}\n", "/{}".upper()])
def test_a_slash_makes_a_command_anywhere(name: str, form: str) -> None:
    """In any case, with blanks around it."""
    said = form.format(name)
    assert match(said) == match(said.upper()) == match(said, bare=True) == name


@pytest.mark.parametrize("name", COMMANDS)
def test_a_bare_word_is_a_command_where_the_bot_was_addressed(name: str) -> None:
    """Elsewhere it is a word like any other."""
    assert match(name.title(), bare=True) == name
    assert match(name) == ""


@pytest.mark.parametrize(
    "text",
    ["", " ", "/", "//reset", "/ reset", "reset it", "please reset", "/reset now", "reset.", "/nothing", "re set"],
)
def test_anything_more_is_a_question(text: str) -> None:
    """A sentence that has a command's word in it is for the model."""
    assert match(text) == ""
    assert match(text, bare=True) == ""


@given(text=st.text())
def test_whatever_is_said_is_a_command_or_none(text: str) -> None:
    """The name of one that exists, or nothing; where the bare word counts, the slash counts too."""
    assert match(text) in ("", *COMMANDS)
    assert match(text) in ("", match(text, bare=True))


def test_each_command_says_what_it_does() -> None:
    """One word, and one line that Slack and Discord can show."""
    for name, command in COMMANDS.items():
        assert name == command.name
        assert name.isalpha()
        assert name.islower()
        assert command.summary.endswith(".")
        assert len(command.summary) <= 100
