"""`parley check`: is everything set up right? One table, and a mend for each failure."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextlib import aclosing

from tabulate import tabulate

from bot.config.settings import Settings
from bot.domain.errors import ModelError, SettingsError
from bot.domain.messages import Message, Role
from bot.domain.ports import Model, Prompt
from bot.models.selection.select import build, choose
from bot.models.shutdowns import check_shutdowns
from bot.runtime.health import Check

PROBE = Prompt("Answer with one word.", (Message(Role.USER, "Say hello."),), max_tokens=200)
WIDTHS = [None, None, 60, 60]
SET_A_MODEL = "Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start a local server such as Ollama."


async def check_models(settings: Settings, platforms: bool) -> list[Check]:
    """Ask each model that may answer for one word. With platforms connected, the trial model does not count as one."""
    makers = [("model", choose(settings))]
    makers += [("fallback model", build(name, settings)) for name in settings.bot.fallback_models]
    places = [place.model for place in settings.places.values() if place.model]
    others = dict.fromkeys((*settings.bot.models, *places))
    makers += [("model of a place", build(name, settings)) for name in others if name != settings.bot.model]
    names: list[str] = []
    checks = [await _check(label, maker, platforms, names) for label, maker in makers]
    return checks + await check_shutdowns(settings, names)


async def _check(label: str, maker: Awaitable[Model], platforms: bool, names: list[str]) -> Check:
    try:
        model = await maker
    except SettingsError as error:
        return Check(label, False, str(error), "Correct that setting.")
    try:
        if model.trial and platforms:
            return Check(label, False, "none but the trial model, which does not answer on platforms", SET_A_MODEL)
        return await _probe(label, model)
    finally:
        names.append(model.name)
        await model.close()


async def _probe(label: str, model: Model) -> Check:
    try:
        async with aclosing(model.stream(PROBE)) as pieces:
            async for piece in pieces:
                if piece.text or piece.reasoning or piece.end:
                    kind = " (the tiny trial model)" if model.trial else ""
                    if warm := getattr(model, "warm", None):  # until its server has said what it holds
                        await warm()
                    return Check(label, True, f"{model.name} answers{kind}; it holds {model.facts.context:,} tokens")
    except ModelError as error:
        return Check(label, False, f"{model.name}: {error}", "Mend what it says, then run this again.")
    return Check(label, False, f"{model.name} gave no answer", "Try another bot.model.")


def table(checks: Iterable[Check]) -> str:
    """The checks as a table for a terminal."""
    rows = [(check.name, "ok" if check.ok else "FAIL", check.found, "" if check.ok else check.mend) for check in checks]
    return tabulate(rows, headers=("what", "", "found", "what to do"), tablefmt="simple", maxcolwidths=WIDTHS)
