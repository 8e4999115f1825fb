"""The chat-completions protocol, event by event, in the dialects that its servers speak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.domain.messages import State, Usage
from bot.models.protocols.costs import read_cost
from bot.models.protocols.json_shapes import read_count, read_object, read_objects, read_parts, read_text
from bot.models.protocols.stream_parser import Reading

REASONING = ("reasoning", "reasoning_content", "thinking", "reasoning_details")
"""Where servers put a model's thoughts; they may say them twice."""
CHUNK = "chat.completion.chunk"


class ChatReading(Reading):
    """An answer that comes as chunks, or as one whole completion."""

    _index: int | None = None
    _refused = False

    def take(self, event: dict[str, Any]) -> None:
        """Take in a chunk, a completion, or an error."""
        choices = list(self._find_own(read_objects(event.get("choices"))))
        chunk = event.get("object") == CHUNK
        for choice in choices:
            self._say_choice(choice, chunk=chunk)
        for holder in (event, *choices):
            if usage := holder.get("usage"):
                self._count(read_object(usage))
        if is_error(event):
            self.fail(self.faults.refused(None, event))
        for choice in choices:
            self._stop(choice, chunk=chunk)

    def _find_own(self, choices: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The choices that belong to the answer: those of the first index; others were not asked for."""
        for position, choice in enumerate(choices):
            index = choice["index"] if isinstance(choice.get("index"), int) else position
            self._index = index if self._index is None else self._index
            if index == self._index:
                yield choice

    def _say_choice(self, choice: dict[str, Any], *, chunk: bool) -> None:
        """A chunk may have what is new (`delta`), all so far (`message`), or both."""
        delta, message = choice.get("delta"), read_object(choice.get("message"))
        if delta is not None:
            self._say_delta(delta if isinstance(delta, dict) else {"content": delta})
        elif not message:
            self._say_delta({"content": choice.get("text")})
        if not message:
            return
        whole = "".join(text for text, thought in read_parts(message.get("content")) if not thought)
        heard = "".join(self._heard)
        if heard and whole.startswith(heard):
            self._say_delta({"content": whole[len(heard) :]})
        elif not heard or (delta is None and chunk):
            self._say_delta(message)

    def _say_delta(self, delta: dict[str, Any]) -> None:
        reasoning = (read_text(delta[key]) for key in REASONING if delta.get(key))
        self.think(next(filter(None, reasoning), ""))
        content = delta.get("content")
        if isinstance(content, str):
            self.say(content)
        elif content is not None:
            for text, thought in read_parts(content):
                self.think(text) if thought else self.say(text)
        if delta.get("refusal"):
            self._refused = True
            self.say(read_text(delta["refusal"]))

    def _stop(self, choice: dict[str, Any], *, chunk: bool) -> None:
        whole = "delta" not in choice and "message" in choice and not chunk
        if reason := choice.get("finish_reason") or ("stop" if whole else ""):
            self.stop(reason)
        if self.end and self._refused:
            self.end = State.REFUSED

    def _count(self, usage: dict[str, Any]) -> None:
        """Take in a usage, which may stand on every chunk; what is no number is as good as nothing."""
        details = read_object(usage.get("prompt_tokens_details"))
        read = read_count(usage.get("prompt_tokens"), usage.get("input_tokens"))
        written = read_count(usage.get("completion_tokens"), usage.get("output_tokens"))
        cached = read_count(details.get("cached_tokens"), usage.get("prompt_cache_hit_tokens"))
        stored = read_count(details.get("cache_write_tokens"))
        if read:
            self.counted = True
            self.usage = Usage(read, written, min(cached, read), min(stored, read), read_cost(usage))


def is_error(event: dict[str, Any]) -> bool:
    """Whether an event says that the answer failed, in any of the shapes that servers give it."""
    error = event.get("error")
    if event.get("choices") and read_objects(event["choices"]):
        return bool(error) and bool(error.get("message") if isinstance(error, dict) else error and read_text(error))
    if error:
        return True
    named = "error" in (event.get("object"), event.get("type"))
    worded = isinstance(event.get("message") or event.get("detail") or event.get("msg"), str | list)
    return named or (worded and any(key in event for key in ("code", "status", "type", "detail")))
