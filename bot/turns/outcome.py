"""What became of an answer, for those who run the bot."""

from __future__ import annotations

import structlog

from bot import texts
from bot.domain.errors import ModelFault
from bot.domain.records import Answer
from bot.runtime.alerts import Alerts
from bot.runtime.metrics import Metrics

log = structlog.get_logger(__name__)


def record_outcome(platform: str, answer: Answer, metrics: Metrics, alerts: Alerts) -> None:
    """Count it, log it, and tell the admins where it needs them."""
    metrics.turn(platform, answer.state.value, answer.usage, answer.first, answer.lag, answer.fault)
    for other in answer.others:
        metrics.tokens(other.usage)
    metrics.limited(platform, answer.limited)
    sentence = texts.ALERTS.get(answer.fault)
    if sentence and answer.fault in tuple(ModelFault):  # what else fails is told where it is known what and where
        alerts.tell(answer.fault, sentence.format(model=answer.model))
    log.info(
        "answered",
        state=answer.state.value,
        model=answer.model,
        fault=answer.fault or None,
        posts=len(answer.posts),
        tokens=answer.usage.output,
        first=answer.first and round(answer.first, 3),
    )
