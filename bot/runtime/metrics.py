"""The figures that `/metrics` shows: how many turns, how they ended, how long people waited."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.domain.errors import ModelFault
from bot.domain.messages import State, Usage
from bot.runtime.health import Host

FIRST = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
"""Seconds to the first text: from a warm small model to one that thinks for minutes."""
LAG = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 15.0)
"""Seconds from the model's last piece to the whole text: a round trip, up to a platform's long back-off."""
FAULTS = frozenset(fault.value for fault in ModelFault)


class Metrics:
    """Counts what happens, in a registry of its own: two of them in one process share nothing."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._turns = Counter("parley_turns", "Answers by how they ended.", ("platform", "outcome"), registry=registry)
        self._tokens = Counter("parley_tokens", "Tokens as the providers counted them.", ("kind",), registry=registry)
        self._errors = Counter("parley_model_errors", "Failures of the model.", ("fault",), registry=registry)
        self._limited = Counter(
            "parley_platform_rate_limits", "Calls that a platform refused with a 429.", ("platform",), registry=registry
        )
        self._first = Histogram(
            "parley_first_text_seconds", "Question to first text.", ("platform",), buckets=FIRST, registry=registry
        )
        self._lag = Histogram(
            "parley_final_lag_seconds",
            "Last piece of the model to the whole text on the screen.",
            ("platform",),
            buckets=LAG,
            registry=registry,
        )
        self._up = Gauge("parley_adapter_up", "Whether an adapter is connected.", ("adapter",), registry=registry)

    def turn(
        self, platform: str, outcome: str, usage: Usage, first: float | None, lag: float | None, fault: str
    ) -> None:
        """Count one answer; `first` and `lag` in seconds, None where nothing was shown, `fault` empty for none."""
        self._turns.labels(platform, outcome).inc()
        self.tokens(usage)
        if first is not None:
            self._first.labels(platform).observe(first)
        if lag is not None:
            self._lag.labels(platform).observe(lag)
        if outcome == State.FAILED and fault in FAULTS:
            self._errors.labels(fault).inc()

    def tokens(self, usage: Usage) -> None:
        """Count what a model took."""
        for kind, tokens in (("input", usage.input), ("output", usage.output), ("cached", usage.cached)):
            self._tokens.labels(kind).inc(tokens)

    def limited(self, platform: str, calls: int = 1) -> None:
        """Count calls that a platform refused with a 429."""
        self._limited.labels(platform).inc(calls)

    def export(self, host: Host) -> bytes:
        """Everything in Prometheus' text format, with the adapters as they are now."""
        self._up.clear()
        for name, status in host.statuses.items():
            self._up.labels(name).set(status.ready)
        return generate_latest(self._registry)
