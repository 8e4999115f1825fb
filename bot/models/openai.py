"""OpenAI, and every other server that speaks its chat-completions protocol."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack

import openai

from bot.messages import File
from bot.models.chat import ChatReading
from bot.models.content import PDF, Part, encode, messages, sendable
from bot.models.remote import LIMITS, TIMEOUT, Fields, RemoteModel, Response, trust
from bot.ports import Prompt

NEW, OLD = "max_completion_tokens", "max_tokens"
"""The name of the longest answer: OpenAI's newer models refuse the old one, other servers may not know the new."""
USAGE = "stream_options"
UNKNOWN = re.compile(r"un(?:supported|known|recognized|expected)|not (?:supported|permitted|allowed)", re.IGNORECASE)


class OpenAIModel(RemoteModel[openai.AsyncOpenAI]):
    """A model behind the chat-completions protocol; without a `base_url` OpenAI's own.

    A field that a server refuses by name is not sent to it again: the wish for usage, one of the two names of the
    longest answer.
    """

    home = "https://api.openai.com/v1"
    variable = "OPENAI_API_KEY"
    failures = (openai.OpenAIError,)

    _limit = ""
    _counts = True

    def connect(self, key: str) -> openai.AsyncOpenAI:
        """Make the client; nothing is sent."""
        http = openai.DefaultAioHttpClient(limits=LIMITS, timeout=TIMEOUT, trust_env=self.away, verify=trust())
        client = openai.AsyncOpenAI(api_key=key, base_url=self.url, max_retries=0, timeout=TIMEOUT, http_client=http)
        _ = client.chat.completions.with_streaming_response  # the SDK imports these when they are first named
        return client

    def reading(self) -> ChatReading:
        """A reading of the answer that is about to come."""
        return ChatReading(self.faults)

    async def ask(self, stack: AsyncExitStack, prompt: Prompt) -> Response:
        """Send the prompt; the response is open until the stack is closed."""
        for _ in ("one field refused", "and the other"):
            fields = await self.prepare(self.fields, prompt)
            try:
                return await self._send(stack, fields)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not self._adapt(error, fields):
                    raise
        return await self._send(stack, await self.prepare(self.fields, prompt))

    async def _send(self, stack: AsyncExitStack, fields: Fields) -> Response:
        create = self.client.chat.completions.with_streaming_response.create
        return await stack.enter_async_context(create(stream=True, **fields))

    def fields(self, prompt: Prompt) -> Fields:
        """The fields of the request."""
        system = [{"role": "system", "content": sendable(prompt.system)}] if prompt.system else []
        limit = self._limit or (OLD if self.custom else NEW)
        spoken = system + messages(prompt, self.facts, show)
        fields: Fields = {"model": self.model, "messages": spoken, limit: prompt.max_tokens}
        if self._counts:
            fields[USAGE] = {"include_usage": True}
        if prompt.temperature is not None:
            fields["temperature"] = prompt.temperature
        return fields

    def _adapt(self, error: openai.APIStatusError, fields: Fields) -> bool:
        """Whether the server refused a field that can be left out or has another name; it is not sent again."""
        refused = str(error.body)
        if USAGE in fields and (USAGE in refused or "include_usage" in refused):
            self._counts = False
        elif NEW in refused and UNKNOWN.search(refused):
            self._limit = NEW if OLD in fields else OLD
        else:
            return False
        return True


def show(file: File) -> Part:
    """The part of a message that shows a file."""
    url = f"data:{file.media_type};base64,{encode(file)}"
    if file.media_type == PDF:
        return {"type": "file", "file": {"filename": sendable(file.name), "file_data": url}}
    return {"type": "image_url", "image_url": {"url": url}}
