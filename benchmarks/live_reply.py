"""How well a live reply reads: Parley's against the field's policies and the best possible, in virtual time.

Run it with `python -m benchmarks.live_reply`. It runs the production `Pacer`, `deliver` and `Reply` against simulated
platforms that refuse calls over their limit; nothing waits for the wall clock. `--write` puts the tables into
docs/performance.md.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import geometric_mean, mean

import structlog
from tabulate import tabulate

from benchmarks.bound import fixed_bound, offline_bound, shared_bound
from benchmarks.online import online
from benchmarks.policies import CLOCK, OURS, POLICIES
from benchmarks.scenarios import Figures, Scenario, arrivals, measure, realistic

RATES = (30, 80, 150)
TRIPS = (0.08, 0.15, 0.3)
LENGTHS = ((230, 46), (400, 80), (300, 30), (900, 80))
"""Tokens of an answer, and tokens a second."""
NINE = [(rate, trip) for rate in RATES for trip in TRIPS]
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
MARK = "<!-- benchmarks.live_reply -->\n"


def main() -> None:
    """Print every table, or write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parts = []
    for part in report():
        print(part, flush=True)
        parts.append(part)
    if options.write:
        before, _, after = PAGE.read_text(encoding="utf-8").split(MARK)
        PAGE.write_text(MARK.join((before, "\n" + "\n".join(parts) + "\n", after)), encoding="utf-8")


def report() -> Iterator[str]:
    """The tables, one after the other."""
    yield from alone()
    yield from compared(
        "Fixed windows: five calls in each five seconds",
        [Scenario(sliding=False, trip=0.15, rate=rate) for rate in RATES],
    )
    yield from bounded()
    yield from paged()
    yield from compared("Long answers: 4,000 tokens", [Scenario(tokens=4000, rate=rate) for rate in RATES])
    yield from compared(
        "A burst of 429s: every call from 2 s to 4 s is refused", [Scenario(storm=True, rate=rate) for rate in RATES]
    )
    yield from shared()
    yield from compared("Twenty answers at once in one Discord channel", [Scenario(answers=20, rate=80)])
    yield from compared(
        "Slack: five answers at once", [Scenario(answers=5, rate=rate, slack=True) for rate in (30, 80)]
    )
    yield from compared(
        "Slack: sixty answers in five minutes in one workspace",
        [Scenario(answers=60, gap=5, rate=rate, slack=True) for rate in (30, 80)],
    )
    yield from best_online()


def alone() -> Iterator[str]:
    """One answer of 400 tokens: each policy's mean lag as a ratio to the offline bound."""
    rows, finals = [], []
    ratios: dict[str, list[float]] = {name: [] for name in POLICIES}
    for rate, trip in NINE:
        scenario = Scenario(rate=rate, trip=trip)
        bound = offline_bound(arrivals(scenario, 0), 5, 1.0, trip)
        figures = {name: measure(scenario, policy()) for name, policy in POLICIES.items()}
        for name, found in figures.items():
            ratios[name].append(found.mean / bound)
        ours = figures[OURS]
        finals.append(ours.final / trip)
        rows.append(
            (
                rate,
                trip,
                bound,
                *(_ratio(found, bound) for found in figures.values()),
                ours.first - trip / 2,
                ours.final / trip,
            )
        )
    rows.append(("geo. mean", "", "", *(f"{geometric_mean(ratio):.2f}" for ratio in ratios.values()), "", mean(finals)))
    headers = ("tokens/s", "trip s", "bound s", *POLICIES, "ours: first - trip/2, s", "ours: final, trips")
    yield _title(
        "One answer of 400 tokens, sliding window: mean lag as a ratio to the offline bound",
        "A ✗ marks answers whose last text never showed; numbers of refused calls stand after it.",
    )
    yield tabulate(rows, headers, tablefmt="github", floatfmt=".3f")


def compared(title: str, scenarios: Sequence[Scenario]) -> Iterator[str]:
    """Every policy's figures, side by side."""
    rows = [
        (scenario.rate, name, *_row(measure(scenario, policy())))
        for scenario in scenarios
        for name, policy in POLICIES.items()
    ]
    yield _title(title)
    yield tabulate(rows, ("tokens/s", "policy", *HEADERS), tablefmt="github", floatfmt=".2f")


def bounded() -> Iterator[str]:
    """One answer of 400 tokens in fixed windows, against what could be reached."""
    rows = []
    for rate, trip in NINE:
        scenario = Scenario(rate=rate, trip=trip, sliding=False)
        times = arrivals(scenario, 0)
        free, ready = (fixed_bound(times, 5, 5.0, trip, kept) for kept in (0, 1))
        ours = measure(scenario, POLICIES[OURS]()).mean
        rows.append((rate, trip, free, ready, ours, ours / free, ours / ready))
    free, ready = (geometric_mean(column) for column in list(zip(*rows, strict=True))[5:])
    yield _title(
        "Fixed windows: one answer of 400 tokens, against the offline bounds",
        "The second bound always keeps a call, so that the answer could end at any moment.",
    )
    headers = ("tokens/s", "trip s", "bound s", "bound with a call kept s", "ours s", "ratio", "ratio to the second")
    yield tabulate([*rows, ("geo. mean", "", "", "", "", free, ready)], headers, tablefmt="github", floatfmt=".3f")


def paged(seeds: int = 5) -> Iterator[str]:
    """Answers that go over several messages, in both kinds of window."""
    rows = []
    for sliding in (True, False):
        for tokens, rate in LENGTHS:
            scenarios = [Scenario(tokens, rate, 0.06, sliding=sliding, pages=True, seed=seed) for seed in range(seeds)]
            for name in (OURS, CLOCK):
                found = [_row(measure(scenario, POLICIES[name]())) for scenario in scenarios]
                means = (mean(column) for column in zip(*found, strict=True))
                rows.append(("sliding" if sliding else "fixed", f"{tokens} @ {rate}", name, *means))
    yield _title(
        "Words in sentences and paragraphs, messages of 2,000 characters, a round trip of 0.06 s",
        f"Means over {seeds} runs.",
    )
    yield tabulate(rows, ("window", "tokens @ rate", "policy", *HEADERS), tablefmt="github", floatfmt=".2f")


def shared(seeds: int = 5) -> Iterator[str]:
    """Five answers at once in one bucket, against the relaxed bound."""
    rows = []
    for rate in RATES:
        scenarios = [Scenario(answers=5, rate=rate, seed=seed) for seed in range(seeds)]
        for name, policy in POLICIES.items():
            found = [measure(scenario, policy()) for scenario in scenarios]
            ratios = [
                figures.mean / shared_bound([arrivals(scenario, answer) for answer in range(5)], 5, 1.0, scenario.trip)
                for scenario, figures in zip(scenarios, found, strict=True)
            ]
            rows.append((rate, name, mean(ratios), *(mean(column) for column in zip(*map(_row, found), strict=True))))
    yield _title(
        "Five answers of 400 tokens at once in one Discord channel",
        f"Means over {seeds} runs; `ratio` is the mean lag by the relaxed bound; one that loses texts may undercut it.",
    )
    yield tabulate(rows, ("tokens/s", "policy", "ratio", *HEADERS), tablefmt="github", floatfmt=".2f")


def best_online(count: int = 25) -> Iterator[str]:
    """Answers of realistic lengths, against the best policy that does not know how long they get."""
    rows, ratios = [], []
    for rate, trip in NINE:
        answers = [realistic(rate, trip, number) for number in range(count)]
        ours = _weighted(answers, [measure(scenario, POLICIES[OURS]()) for scenario in answers])
        best = _weighted(answers, [measure(scenario, online(rate, trip)) for scenario in answers])
        ratios.append(ours / best)
        rows.append((rate, trip, best, ours, ours / best))
    yield _title(
        f"{count} answers of realistic lengths, against the best online policy",
        "Lengths are log-normal, with a median of 250 tokens and σ 0.8; lags are weighted by tokens.",
    )
    headers = ("tokens/s", "trip s", "best online s", "ours s", "ratio")
    yield tabulate(
        [*rows, ("geo. mean", "", "", "", geometric_mean(ratios))], headers, tablefmt="github", floatfmt=".3f"
    )


HEADERS = ("first s", "mean s", "p95 s", "final s", "worst final s", "calls", "429s", "lost %")


def _row(found: Figures) -> tuple[float, ...]:
    return (found.first, found.mean, found.p95, found.final, found.worst, found.calls, found.refusals, 100 * found.lost)


def _ratio(found: Figures, bound: float) -> str:
    failed = f" ✗ {found.refusals}" if found.lost else f" ({found.refusals})" if found.refusals else ""
    return f"{found.mean / bound:.2f}{failed}"


def _weighted(answers: Sequence[Scenario], found: Sequence[Figures]) -> float:
    tokens = sum(scenario.tokens for scenario in answers)
    return sum(figures.mean * scenario.tokens for scenario, figures in zip(answers, found, strict=True)) / tokens


def _title(title: str, more: str = "") -> str:
    return f"\n### {title}\n" + (f"\n{more}\n" if more else "")


if __name__ == "__main__":
    main()
