"""Making a provider's model: its SDK takes a second to import, so that is done in a thread, and only when needed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.models.protocols.anthropic import AnthropicModel
    from bot.models.protocols.openai import OpenAIModel


async def make_openai(**fields: Any) -> OpenAIModel:
    """A model behind the chat-completions protocol, ready to be asked; the fields are its constructor's."""
    model = await asyncio.to_thread(_openai, fields)
    await model.warm()
    return model


async def make_anthropic(**fields: Any) -> AnthropicModel:
    """A model behind Anthropic's protocol, ready to be asked; the fields are its constructor's."""
    model = await asyncio.to_thread(_anthropic, fields)
    await model.warm()
    return model


def _openai(fields: dict[str, Any]) -> OpenAIModel:
    with _uncollected():
        from bot.models.protocols.openai import OpenAIModel
    return OpenAIModel(**fields)


def _anthropic(fields: dict[str, Any]) -> AnthropicModel:
    with _uncollected():
        from bot.models.protocols.anthropic import AnthropicModel
    return AnthropicModel(**fields)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: it finds nothing in modules that come in, and takes a fifth of their time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
