"""What people can tell the bot itself: a command is one only when it is all that was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.commands import COMMANDS, PUBLIC, RULES, match, parse

PLAIN = [name for name, command in COMMANDS.items() if not command.argument]
CHOICES = [f"{name} {value}".strip() for name, one in COMMANDS.items() for value in ("", *one.values) if one.values]
FILLED = [name for name, command in COMMANDS.items() if command.argument]


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("form", ["/{}", "  /{}\n", "/{}".upper()])
def test_a_slash_makes_a_command_anywhere(name: str, form: str) -> None:
    """In any case, with blanks around it."""
    said = form.format(name)
    assert match(said) == match(said.upper()) == match(said, bare=True) == name


@pytest.mark.parametrize("name", sorted({*PLAIN} - RULES))
def test_a_bare_word_is_a_command_where_the_bot_was_addressed(name: str) -> None:
    """Elsewhere it is a word like any other."""
    assert match(name.title(), bare=True) == name
    assert match(name) == ""


@pytest.mark.parametrize("name", sorted({*PLAIN} & RULES))
def test_pause_and_resume_need_their_slash(name: str) -> None:
    """They are words that people say to a bot."""
    assert match(name, bare=True) == ""
    assert match(f" /{name}", bare=True) == name


@pytest.mark.parametrize(
    "text",
    ["", " ", "/", "//reset", "/ reset", "reset it", "please reset", "/reset now", "reset.", "/nothing", "re set"],
)
def test_anything_more_is_a_question(text: str) -> None:
    """A sentence that has a command's word in it is for the model."""
    assert match(text) == ""
    assert match(text, bare=True) == ""
    assert parse(text) == parse(text, bare=True) == ("", "")


@pytest.mark.parametrize("text", ["model", "/model", "model trains", "/persona", "Persona non grata", "/model x"])
def test_what_takes_an_argument_is_no_command_as_a_message(text: str) -> None:
    """Its words may as well begin a question; where commands are typed as such, `parse` reads it."""
    assert match(text) == match(text, bare=True) == ""


@pytest.mark.parametrize("text", ["listen", "LISTEN on", "/Listen  Off"])
def test_what_takes_one_of_a_few_values_is_a_command_with_it(text: str) -> None:
    """With its slash anywhere, without it where the bot was addressed; anything more is a question."""
    plain = " ".join(text.removeprefix("/").casefold().split())
    assert match(text, bare=True) == plain
    assert match(text) == (plain if text.startswith("/") else "")
    assert match(f"{text} please", bare=True) == match("listen to me", bare=True) == ""


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize(
    ("form", "argument"),
    [
        ("/{}", ""),
        (" /{} ", ""),
        ("/{} x", "x"),
        ("/{}  Two  words \n", "Two  words"),
        ("/{}\nOne.\nTwo.", "One.\nTwo."),
    ],
)
def test_an_argument_is_what_follows_as_it_was_typed(name: str, form: str, argument: str) -> None:
    """Without the blanks around it; the name counts in any case."""
    assert parse(form.format(name)) == parse(form.format(name.upper())) == (name, argument)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_read_without_its_slash_where_that_is_asked_for(name: str) -> None:
    """Elsewhere it begins a sentence."""
    assert parse(name, bare=True) == parse(f"/{name}", bare=True) == parse(f"/{name}") == (name, "")
    assert parse(name) == ("", "")


@given(text=st.text() | st.builds("{} {}".format, st.sampled_from([f"/{name}" for name in COMMANDS]), st.text()))
def test_whatever_is_said_is_a_command_or_none(text: str) -> None:
    """The name of one that exists, or nothing; where the bare word counts, the slash counts too."""
    assert match(text) in ("", *PLAIN, *CHOICES)
    assert match(text) in ("", match(text, bare=True))
    name, argument = parse(text)
    assert name in ("", *COMMANDS)
    assert not argument or name in FILLED
    assert argument in text


def test_each_command_says_what_it_does() -> None:
    """One word, and one line that Slack and Discord can show; so it is with its argument."""
    for name, command in COMMANDS.items():
        assert name == command.name
        assert name.replace("-", "").isalpha()
        assert name.islower()
        assert command.summary.endswith(".")
        assert len(command.summary) <= 100
        assert bool(command.argument) == bool(command.description)
        assert command.argument in ("", command.argument.lower())
        assert len(command.description) <= 100


def test_what_changes_a_place_for_all_is_for_all_to_see() -> None:
    """These are the commands that take an argument and do not say who may talk; who stops something tells nobody."""
    assert PUBLIC == set(FILLED) - RULES == {"model", "persona", "listen"}
