"""What providers and compatible servers call the end of an answer, and what each name means. Pure."""

from __future__ import annotations

import re
from typing import Any

from bot.domain.messages import State

ENDS = {
    **dict.fromkeys([
            "stop", "stopped", "stop_sequence", "end", "end_turn", "eos", "eos_token", "end_of_text", "done",
            "complete", "completed", "finish", "finished", "success", "normal", "tool_calls", "tool_call",
            "tool_use", "function_call", "pause_turn", "stop_token", "stop_str", "im_end", "eot", "eot_id", "endoftext",
            "s",  # </s>
    ], State.DONE),
    **dict.fromkeys([
            "length", "max_length", "model_length", "max_token", "max_tokens", "max_output_tokens",
            "max_completion_tokens", "max_new_tokens", "max_tokens_reached", "token_limit", "output_limit",
            "length_limit", "context_length", "context_length_exceeded", "context_window_exceeded",
            "model_context_window_exceeded",
    ], State.CUT),
    **dict.fromkeys([
            "content_filter", "content_filtered", "filtered", "filter", "safety", "refusal", "refused", "sensitive",
            "prohibited_content", "blocklist", "recitation", "spii", "image_safety", "guardrail",
            "guardrail_intervened", "moderation", "content_policy_violation",
    ], State.REFUSED),
}  # fmt: skip
UNSAID = ("", "null", "none", "unspecified")
"""Names that some servers send before the end."""
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where a word begins in a name like `maxTokens`."""
BAD = re.compile(r"error|abort|cancel|insufficient|fail|timeout|interrupt|unavailable|overload")
"""Names that are of no good end in any protocol."""


def name_end(reason: Any) -> str:
    """The reason that an answer ends, in small letters and underscores; empty where none is said."""
    last = reason.strip(". ").rpartition(".")[2] if isinstance(reason, str) else ""
    name = re.sub(r"[^a-z]+", "_", HUMP.sub("_", last).lower()).strip("_").removeprefix("finish_reason_")
    return "" if name in UNSAID else name


def judge_end(name: str, other: State | None) -> State | None:
    """How an answer with this end is; `other` for a name that is not known. None: it broke off."""
    return ENDS.get(name, None if BAD.search(name) else other)
