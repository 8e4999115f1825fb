"""What conversations cost in input: with everything shown, with the last 20 messages, with Parley's window.

Run it with `python -m benchmarks.prompt_cost`; it takes half a minute. The windows are cut by the program's own
functions and priced by its own list. Lengths and pauses are drawn at random, the same for each policy; the providers'
caches are modelled after their documents: Anthropic and OpenAI since GPT-5.6 read what an earlier request ended with
and write the rest, for a surcharge; OpenAI before that reads any common beginning, in steps of 128 tokens, without one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from tabulate import tabulate

from bot.domain.messages import Message, Role, Usage
from bot.domain.model_info import Facts
from bot.models.price_list import lookup
from bot.prompts.history_window import cut, due, span
from bot.prompts.summarizer import SOON

SYSTEM, QUESTION, ANSWER, SUMMARY, WISH = 600, 75, 290, 330, 130
"""Tokens: the system prompt, a question with its time, an answer, a summary, the request for one."""
LEAST = {"anthropic/claude-haiku-4-5": 4096}
"""The shortest prompt that is cached, in tokens, where it is not 1,024."""
TRAFFIC = {"brisk": 0.05, "mixed": 0.25, "slow": 0.70}
"""The part of the pauses that is longer than five minutes."""
MODELS = (
    "anthropic/claude-sonnet-5-5",
    "anthropic/claude-sonnet-4-5",
    "anthropic/claude-haiku-4-5",
    "openai/gpt-6.1-terra",
    "openai/gpt-5.4-mini",
)
TURNS, RUNS, LOW = 200, 12, 20
RATIO = 4.0
Part = tuple[str, int]
"""A piece of a prompt: what it is, and its tokens."""


@dataclass
class Talk:
    """A conversation: each question's and answer's tokens, and the seconds before the question."""

    turns: list[tuple[int, int, float]]


def talk(turns: int, long: float, seed: int) -> Talk:
    """Draw one; lengths are log-normal, long pauses an hour on average."""
    chance = random.Random(seed)

    def pause() -> float:
        return 300 + chance.expovariate(1 / 3600) if chance.random() < long else min(299, chance.lognormvariate(3.7, 1))

    def length(typical: int) -> int:
        return max(5, round(typical * chance.lognormvariate(0, 0.6) / 1.2))

    return Talk([(length(QUESTION), length(ANSWER), pause()) for _ in range(turns)])


@dataclass
class Provider:
    """A provider's cache and till, for one conversation."""

    model: str
    facts: Facts
    caches: bool = True
    usages: list[Usage] = field(default_factory=list)
    summaries: list[Usage] = field(default_factory=list)
    _known: dict[tuple[Part, ...], float] = field(default_factory=dict)

    def ask(self, now: float, prompt: Sequence[Part], summary: bool = False) -> None:
        """Take a request."""
        total = sum(tokens for _, tokens in prompt)
        least = LEAST.get(self.model, 1024)
        cached = self._read(now, tuple(prompt), least) if self.caches else 0
        writes = self.caches and total >= least and self.facts.cache.write > 1
        usage = Usage(total, 0, cached, total - cached if writes else 0)
        (self.summaries if summary else self.usages).append(usage)
        self._known[tuple(prompt)] = now

    def _read(self, now: float, prompt: tuple[Part, ...], least: int) -> int:
        warm = [known for known, used in self._known.items() if now - used <= self.facts.cache.seconds]
        if self.facts.cache.write > 1:
            ends = [known for known in warm if prompt[: len(known)] == known]
            best = max((sum(tokens for _, tokens in known) for known in ends), default=0)
        else:
            best = max((_common(known, prompt) for known in warm), default=0) // 128 * 128
        self._known = {known: used for known, used in self._known.items() if known in warm}
        return best if best >= least else 0

    def cost(self, usages: Sequence[Usage]) -> float:
        """US dollars of input."""
        price = self.facts.price
        return sum(price.cost(usage) for usage in usages) if price else 0.0


def _common(one: Sequence[Part], other: Sequence[Part]) -> int:
    tokens = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        tokens += mine[1]
    return tokens


def parts(messages: Sequence[Message]) -> list[Part]:
    """Messages as pieces of a prompt."""
    return [(str(message.number), round(len(message.content) / RATIO)) for message in messages]


def show(last: int) -> Callable[[Talk, Provider], None]:
    """A policy that shows the last so many messages."""

    def converse(said: Talk, provider: Provider) -> None:
        now, record = 0.0, list[Part]()
        for number, (question, answer, pause) in enumerate(said.turns):
            now += pause
            shown = record[max(0, len(record) - last) :]
            provider.ask(now, [("system", SYSTEM), *shown, (f"q{number}", question)])
            record += [(f"q{number}", question), (f"a{number}", answer)]

    return converse


def ours(said: Talk, provider: Provider) -> None:
    """Parley's window and summaries."""
    window = span(LOW, provider.facts, 2000, RATIO)
    now, shown, before, made = 0.0, list[Message](), list[Part](), 0
    for number, (question, answer, pause) in enumerate(said.turns):
        soon = provider.facts.cache.seconds * SOON
        if number and pause > soon and (start := due(shown, window, RATIO, idle=True)):
            made += 1
            provider.ask(now + soon, [("system", SYSTEM), *before, *parts(shown), ("wish", WISH)], summary=True)
            shown, before = shown[start:], [(f"s{made}", SUMMARY)]
        now += pause
        shown = cut(shown, window, 0, RATIO, waits=True)
        asked = Message(Role.USER, "x" * round(question * RATIO), number=2 * number)
        provider.ask(now, [("system", SYSTEM), *before, *parts([*shown, asked])])
        shown += [asked, Message(Role.ASSISTANT, "x" * round(answer * RATIO), number=2 * number + 1)]
        if start := due(shown, window, RATIO, idle=False):
            made += 1
            provider.ask(now, [("system", SYSTEM), *before, *parts(shown), ("wish", WISH)], summary=True)
            shown, before = shown[start:], [(f"s{made}", SUMMARY)]


POLICIES: dict[str, tuple[Callable[[Talk, Provider], None], bool]] = {
    "everything": (show(10**6), True),
    "last 20, not cached": (show(LOW), False),
    "last 20, cached": (show(LOW), True),
    "Parley": (ours, True),
}


def run(model: str, policy: str, long: float, turns: int = TURNS) -> list[Provider]:
    """So many conversations under a policy."""
    converse, caches = POLICIES[policy]
    providers = []
    for seed in range(RUNS):
        provider = Provider(model, lookup(model, {}, 0), caches)
        converse(talk(turns, long, seed), provider)
        providers.append(provider)
    return providers


def price(providers: Sequence[Provider]) -> float:
    """The median input price of 100 turns, summaries included."""
    return median(one.cost([*one.usages, *one.summaries]) / len(one.usages) * 100 for one in providers)


def compare() -> Iterator[list[object]]:
    """A row for each model and traffic."""
    for model in MODELS:
        for traffic, long in TRAFFIC.items():
            found = {policy: run(model, policy, long) for policy in POLICIES}
            prices = {policy: price(providers) for policy, providers in found.items()}
            mine = found["Parley"]
            asked = [usage for one in mine for usage in one.usages]
            written = sum(len(one.summaries) for one in mine) / len(asked) * 100
            facts = lookup(model, {}, 0)
            more = written * 220 * (facts.price.output if facts.price else 0) / 1e6
            hits = sum(usage.cached for usage in asked) / sum(usage.input for usage in asked)
            tokens = sum(usage.input for usage in asked) / len(asked)
            row = [f"{prices[policy]:.3f}" for policy in POLICIES]
            ratio = prices["Parley"] / prices["last 20, not cached"]
            default = prices["Parley"] / prices["last 20, cached"]
            yield [
                model,
                traffic,
                *row,
                f"{ratio:.2f}",
                f"{default:.2f}",
                f"{hits:.0%}",
                f"{tokens:,.0f}",
                f"{more:.3f}",
            ]


def grow() -> Iterator[list[object]]:
    """What a turn costs as the conversation grows, in cents for Sonnet 5.5 under mixed traffic."""
    marks = (25, 50, 100, 200, 400)
    for policy in POLICIES:
        providers = run(MODELS[0], policy, TRAFFIC["mixed"], 400)
        row: list[object] = [policy]
        for start, end in zip((0, *marks), marks, strict=False):
            total = sum(one.cost(one.usages[start:end]) for one in providers)
            extra = sum(one.cost(one.summaries) for one in providers) / (400 * RUNS) * (end - start) * RUNS
            row.append(f"{(total + extra) / (end - start) / RUNS * 100:.3f}")
        yield row


def main() -> None:
    """Print both tables."""
    print("Input in US dollars for 100 turns of a conversation of 200, median of", RUNS, "conversations.\n")
    headers = [
        "model",
        "traffic",
        *POLICIES,
        "Parley / last 20 not cached",
        "Parley / last 20 cached",
        "read from cache",
        "tokens a prompt",
        "+ output of summaries",
    ]
    print(tabulate(list(compare()), headers, maxheadercolwidths=12))
    print("\nCents of input for a turn of Sonnet 5.5 with mixed traffic, by how long the conversation is.\n")
    print(tabulate(list(grow()), ["", "1-25", "26-50", "51-100", "101-200", "201-400"]))


if __name__ == "__main__":
    main()
