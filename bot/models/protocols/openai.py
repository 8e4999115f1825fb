"""OpenAI, and every other server that speaks its chat-completions protocol."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import openai

from bot.domain.messages import File
from bot.domain.ports import Prompt
from bot.models.protocols.content import PDF, Part, encode, messages, sendable
from bot.models.protocols.http_model import LIMITS, TIMEOUT, Fields, RemoteModel, Response, trust
from bot.models.protocols.openai_events import ChatReading
from bot.models.protocols.server_features import STATUSES, SYSTEM, UNKNOWN, Feature, ask_without

AFFORDED = re.compile(r"can only afford (\d+)")
"""How OpenRouter says for how long an answer the credit is enough."""
EXTRA = re.compile(r"extra[_ ](?:forbidden|inputs|fields)|additional properties", re.IGNORECASE)
"""How servers refuse a field without naming it: it can only be the wish for usage, which came last to the protocol."""
SHORTEST = 100
"""Tokens of an answer for which it is worth asking again."""


class OpenAIModel(RemoteModel[openai.AsyncOpenAI]):
    """A model behind the chat-completions protocol; without a `base_url` OpenAI's own.

    A part of the request that a server refuses is not sent to it again: the wish for usage, the temperature, the system
    prompt, which then stands before the first question, one of the two names of the longest answer: OpenAI's newer
    models refuse the old one, other servers may not know the new.
    """

    home = "https://api.openai.com/v1"
    variable = "OPENAI_API_KEY"
    failures = (openai.OpenAIError,)

    def connect(self, key: str) -> openai.AsyncOpenAI:
        """Make the client; nothing is sent."""
        http = openai.DefaultAioHttpClient(
            limits=LIMITS,
            timeout=TIMEOUT,
            trust_env=self.away,
            verify=trust(),
            event_hooks={"response": [self.hear]},
        )
        client = openai.AsyncOpenAI(api_key=key, base_url=self.url, max_retries=0, timeout=TIMEOUT, http_client=http)
        _ = client.chat.completions.with_streaming_response  # the SDK imports these when they are first named
        return client

    def reading(self) -> ChatReading:
        """A reading of the answer that is about to come."""
        return ChatReading(self.faults, self.server, self.model)

    async def ask(self, stack: AsyncExitStack, prompt: Prompt) -> Response:
        """Send the prompt; the response is open until the stack is closed."""
        try:
            return await self._ask(stack, prompt)
        except openai.APIStatusError as error:
            afforded = AFFORDED.search(error.response.text)
            if not afforded or not SHORTEST <= int(afforded[1]) < prompt.max_tokens:
                raise
        return await self._ask(stack, replace(prompt, max_tokens=int(afforded[1])))

    async def _ask(self, stack: AsyncExitStack, prompt: Prompt) -> Response:
        sent: Fields = {}

        async def send() -> Response:
            nonlocal sent
            sent = await self.prepare(self.fields, prompt)
            create = self.client.chat.completions.with_streaming_response.create
            return await stack.enter_async_context(create(stream=True, **sent))

        def find(error: openai.APIStatusError) -> Feature | None:
            return find_refused(error.response.text, sent) if error.status_code in STATUSES else None

        return await ask_without(send, openai.APIStatusError, find, self.server, self.model)

    def fields(self, prompt: Prompt) -> Fields:
        """The fields of the request."""
        spoken = messages(prompt, self.facts, show)
        if prompt.system:
            told = sendable(prompt.system)
            alone = not self.server.refuses(Feature.SYSTEM, self.model)
            spoken = [{"role": "system", "content": told}, *spoken] if alone else put_first(told, spoken)
        fields: Fields = {"model": self.model, "messages": spoken}
        if limit := self._name_limit():
            fields[limit] = prompt.max_tokens
        if not self.server.refuses(Feature.USAGE, self.model):
            fields[Feature.USAGE.value] = {"include_usage": True}
        if prompt.temperature is not None and not self.server.refuses(Feature.TEMPERATURE, self.model):
            fields["temperature"] = prompt.temperature
        return fields

    def _name_limit(self) -> str:
        """The name that the server takes for the longest answer; empty where it takes none."""
        names = [Feature.MAX_TOKENS, Feature.MAX_COMPLETION_TOKENS]
        names = names if self.custom else names[::-1]
        return next((name.value for name in names if not self.server.refuses(name, self.model)), "")


def find_refused(words: str, sent: Fields) -> Feature | None:
    """The part of a request that a server refuses with these words, if the request can be sent without."""
    if Feature.USAGE.value in sent and (Feature.USAGE.value in words or "include_usage" in words):
        return Feature.USAGE
    if sent["messages"][0]["role"] == "system" and SYSTEM.search(words):
        return Feature.SYSTEM
    if not UNKNOWN.search(words):
        return None
    for part in (Feature.MAX_TOKENS, Feature.MAX_COMPLETION_TOKENS, Feature.TEMPERATURE):
        if part.value in sent and part.value in words:
            return part
    return Feature.USAGE if Feature.USAGE.value in sent and EXTRA.search(words) else None


def put_first(system: str, spoken: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with the system prompt before the first question, for a model that has no role for it."""
    first, *others = spoken
    if isinstance(first["content"], str):
        content: Any = f"{system}\n\n{first['content']}"
    else:
        content = [{"type": "text", "text": system}, *first["content"]]
    return [{**first, "content": content}, *others]


def show(file: File) -> Part:
    """The part of a message that shows a file."""
    url = f"data:{file.media_type};base64,{encode(file)}"
    if file.media_type == PDF:
        return {"type": "file", "file": {"filename": sendable(file.name), "file_data": url}}
    return {"type": "image_url", "image_url": {"url": url}}
