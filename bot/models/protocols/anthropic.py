"""Anthropic's messages API."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anthropic

from bot.domain.messages import File
from bot.domain.ports import Prompt
from bot.models.protocols.anthropic_events import BlockReading
from bot.models.protocols.content import PDF, Part, encode, messages, sendable
from bot.models.protocols.http_model import LIMITS, TIMEOUT, Fields, RemoteModel, Response, trust
from bot.models.protocols.server_features import STATUSES, UNKNOWN, Feature, ask_without


class AnthropicModel(RemoteModel[anthropic.AsyncAnthropic]):
    """A model of Anthropic's, or of another server that speaks its protocol at `base_url`.

    What a server refuses is not sent to it again: the mark for its cache, the temperature.
    """

    home = "https://api.anthropic.com"
    variable = "ANTHROPIC_API_KEY"
    failures = (anthropic.AnthropicError,)

    def connect(self, key: str) -> anthropic.AsyncAnthropic:
        """Make the client; nothing is sent."""
        http = anthropic.DefaultAioHttpClient(
            limits=LIMITS,
            timeout=TIMEOUT,
            trust_env=self.away,
            verify=trust(),
            event_hooks={"response": [self.hear]},
        )
        client = anthropic.AsyncAnthropic(
            api_key=key, base_url=self.url, max_retries=0, timeout=TIMEOUT, http_client=http
        )
        _ = client.messages.with_streaming_response  # the SDK imports these when they are first named
        return client

    def reading(self) -> BlockReading:
        """A reading of the answer that is about to come."""
        return BlockReading(self.faults, self.server, self.model)

    async def ask(self, stack: AsyncExitStack, prompt: Prompt) -> Response:
        """Send the prompt; the response is open until the stack is closed."""
        sent: Fields = {}

        async def send() -> Response:
            nonlocal sent
            sent = await self.prepare(self.fields, prompt)
            create = self.client.messages.with_streaming_response.create
            return await stack.enter_async_context(create(stream=True, **sent))

        def find(error: anthropic.APIStatusError) -> Feature | None:
            return find_refused(error.response.text, sent) if error.status_code in STATUSES else None

        return await ask_without(send, anthropic.APIStatusError, find, self.server, self.model)

    def fields(self, prompt: Prompt) -> Fields:
        """The fields of the request."""
        fields: Fields = {
            "model": self.model,
            "messages": messages(prompt, self.facts, show),
            "max_tokens": prompt.max_tokens,
        }
        if not self.server.refuses(Feature.CACHE, self.model):
            fields[Feature.CACHE.value] = {"type": "ephemeral"}
        if prompt.system:
            fields["system"] = sendable(prompt.system)
        if prompt.temperature is not None and not self.server.refuses(Feature.TEMPERATURE, self.model):
            fields["extra_body"] = {"temperature": prompt.temperature}  # the SDK knows it no more; older models do
        return fields


def find_refused(words: str, sent: Fields) -> Feature | None:
    """The part of a request that a server refuses with these words, if the request can be sent without."""
    if Feature.CACHE.value in sent and Feature.CACHE.value in words:
        return Feature.CACHE
    if "extra_body" in sent and Feature.TEMPERATURE.value in words and UNKNOWN.search(words):
        return Feature.TEMPERATURE
    return None


def show(file: File) -> Part:
    """The block that shows a file."""
    source = {"type": "base64", "media_type": file.media_type, "data": encode(file)}
    if file.media_type == PDF:
        return {"type": "document", "source": source, "title": sendable(file.name)}
    return {"type": "image", "source": source}
