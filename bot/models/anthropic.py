"""Anthropic's messages API."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anthropic

from bot.messages import File
from bot.models.blocks import BlockReading
from bot.models.content import PDF, Part, encode, messages, sendable
from bot.models.remote import LIMITS, TIMEOUT, Fields, RemoteModel, Response, trust
from bot.ports import Prompt


class AnthropicModel(RemoteModel[anthropic.AsyncAnthropic]):
    """A model of Anthropic's, or of another server that speaks its protocol at `base_url`."""

    home = "https://api.anthropic.com"
    variable = "ANTHROPIC_API_KEY"
    failures = (anthropic.AnthropicError,)

    def connect(self, key: str) -> anthropic.AsyncAnthropic:
        """Make the client; nothing is sent."""
        http = anthropic.DefaultAioHttpClient(limits=LIMITS, timeout=TIMEOUT, trust_env=self.away, verify=trust())
        client = anthropic.AsyncAnthropic(
            api_key=key, base_url=self.url, max_retries=0, timeout=TIMEOUT, http_client=http
        )
        _ = client.messages.with_streaming_response  # the SDK imports these when they are first named
        return client

    def reading(self) -> BlockReading:
        """A reading of the answer that is about to come."""
        return BlockReading(self.faults)

    async def ask(self, stack: AsyncExitStack, prompt: Prompt) -> Response:
        """Send the prompt; the response is open until the stack is closed."""
        fields = await self.prepare(self.fields, prompt)
        create = self.client.messages.with_streaming_response.create
        return await stack.enter_async_context(create(stream=True, **fields))

    def fields(self, prompt: Prompt) -> Fields:
        """The fields of the request."""
        fields: Fields = {
            "model": self.model,
            "messages": messages(prompt, self.facts, show),
            "max_tokens": prompt.max_tokens,
            "cache_control": {"type": "ephemeral"},
        }
        if prompt.system:
            fields["system"] = sendable(prompt.system)
        if prompt.temperature is not None:  # the SDK knows it no more, but older models do
            fields["extra_body"] = {"temperature": prompt.temperature}
        return fields


def show(file: File) -> Part:
    """The block that shows a file."""
    source = {"type": "base64", "media_type": file.media_type, "data": encode(file)}
    if file.media_type == PDF:
        return {"type": "document", "source": source, "title": sendable(file.name)}
    return {"type": "image", "source": source}
