"""The figures: each event is counted once, where a dashboard looks for it."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bot.domain.messages import Usage
from bot.runtime.health import Host
from bot.runtime.metrics import Metrics

PAGE = Path(__file__).parents[3] / "docs" / "web.md"


def read(metrics: Metrics, host: Host | None = None) -> dict[tuple[str, ...], float]:
    """The exported samples: (name, label values…) → value."""
    text = metrics.export(host or Host()).decode()
    return {
        (sample.name, *(str(value) for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_turn_is_counted_by_platform_and_outcome() -> None:
    """Each answer adds one to its platform and outcome, and its tokens to their kinds."""
    metrics = Metrics()
    metrics.turn("discord", "done", Usage(10, 5, 3), 0.4, 0.2, "")
    metrics.turn("discord", "done", Usage(1, 2), 0.4, 0.2, "")
    metrics.turn("web", "stopped", Usage(), None, None, "")
    samples = read(metrics)
    assert samples["parley_turns_total", "done", "discord"] == 2
    assert samples["parley_turns_total", "stopped", "web"] == 1
    assert [samples["parley_tokens_total", kind] for kind in ("input", "output", "cached")] == [11, 7, 3]


def test_waiting_times_are_histograms_of_seconds() -> None:
    """First text and final lag fall into their buckets; an answer that showed nothing is in neither."""
    metrics = Metrics()
    metrics.turn("slack", "done", Usage(), 0.4, 0.07, "")
    metrics.turn("slack", "failed", Usage(), None, None, "timeout")
    samples = read(metrics)
    assert samples["parley_first_text_seconds_bucket", "0.25", "slack"] == 0
    assert samples["parley_first_text_seconds_bucket", "0.5", "slack"] == 1
    assert samples["parley_first_text_seconds_count", "slack"] == 1
    assert samples["parley_final_lag_seconds_sum", "slack"] == 0.07


def test_model_errors_are_counted_by_fault() -> None:
    """Only an answer that failed, and only through the model, is a model error."""
    metrics = Metrics()
    metrics.turn("web", "failed", Usage(), None, None, "timeout")
    metrics.turn("discord", "done", Usage(), None, None, "rate")
    metrics.turn("discord", "failed", Usage(), None, None, "forbidden")
    errors = {key[1]: value for key, value in read(metrics).items() if key[0] == "parley_model_errors_total"}
    assert errors == {"timeout": 1}


def test_rate_limits_are_counted_by_platform() -> None:
    """Each 429 adds one to its platform."""
    metrics = Metrics()
    metrics.limited("slack")
    metrics.limited("slack")
    assert read(metrics)["parley_platform_rate_limits_total", "slack"] == 2


def test_adapters_are_shown_as_they_are_now() -> None:
    """The gauge follows the statuses, and an adapter that is gone is not shown."""
    metrics, host = Metrics(), Host()
    host.status("discord").up()
    host.status("slack").down("no network")
    samples = read(metrics, host)
    assert samples["parley_adapter_up", "discord"] == 1
    assert samples["parley_adapter_up", "slack"] == 0
    del host.statuses["slack"]
    assert ("parley_adapter_up", "slack") not in read(metrics, host)


def test_two_of_them_share_nothing() -> None:
    """No figure is global to the process."""
    one, other = Metrics(), Metrics()
    one.limited("discord")
    assert ("parley_platform_rate_limits_total", "discord") not in read(other)


def test_every_figure_is_in_the_documents() -> None:
    """docs/web.md lists each metric by the name under which it is exported, and no other."""
    exported = re.findall(r"^# TYPE (\S+) (\w+)$", Metrics().export(Host()).decode(), re.MULTILINE)
    documented = re.findall(r"^\| `(parley_\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(name for name, _ in exported)
