"""A model at the other end of an HTTP connection: asking, reading while it writes, watching, letting go."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from math import inf
from ssl import SSLContext
from threading import Lock
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx2
import structlog
from aiohttp import ClientError
from pydantic import SecretStr

from bot.domain.deadline import Deadline
from bot.domain.errors import ModelError, ModelFault
from bot.domain.model_info import Bill, Facts
from bot.domain.ports import Piece, Prompt
from bot.models.local_servers import LOOPBACK
from bot.models.protocols.causes import find_reason, is_dropped, list_causes
from bot.models.protocols.error_mapper import Faults
from bot.models.protocols.read_deadline import Watch
from bot.models.protocols.server_features import get_server
from bot.models.protocols.sse import Decoder
from bot.models.protocols.stream_parser import Reading
from bot.models.protocols.upstream import read_upstream

NO_KEY = "not-needed"
"""Sent where there is no key: the SDKs refuse an empty one."""
SENDABLE = re.compile(r"[!-~]*")
"""What a header can carry."""
TIMEOUT = httpx2.Timeout(None, connect=5)
"""Seconds to connect, so short that each try of a question has them before its deadline; all else is watched here."""
LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60)
"""The SDKs' own, but idle connections are kept for the next message of a conversation: no handshake before it."""
TAIL = 0.5
"""Seconds that the count of tokens may take to come after the end of the answer."""
DRAIN = 0.1
"""Seconds that the connection may take to end cleanly, so that it can be used again."""
WORDS = 3.0
"""Seconds that the words of a refusal may take: its status alone says enough."""
BREAKS = (httpx2.HTTPError, httpx2.InvalidURL, ClientError, OSError, RuntimeError)
"""What a connection may raise: the SDKs let some errors of aiohttp through as they are, and the last is its word for
a connection that was closed on this side."""
TAKEN = {ModelFault.TIMEOUT, ModelFault.CUT, ModelFault.EMPTY}
"""How an attempt may fail whose question the provider had taken."""

log = structlog.get_logger(__name__)


class Client(Protocol):
    """What the providers' clients have in common."""

    async def close(self) -> None: ...


class Response(Protocol):
    """What their responses have in common."""

    @property
    def headers(self) -> httpx2.Headers: ...

    @property
    def http_response(self) -> httpx2.Response: ...

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


C = TypeVar("C", bound=Client)
Fields = dict[str, Any]


class RemoteModel(ABC, Generic[C]):
    """The part of a `Model` that is the same for every provider.

    `name` is `provider/model` for the log, `model` the name that the provider knows. Without a `base_url` it is the
    provider's own, without a key a placeholder is sent. An answer fails after `timeout` seconds without a sign of life;
    the first may take `first_timeout` seconds, and `last_timeout` where no other model can answer in the place of this.
    Each of them, unless it is longer than any question waits, ends with the share of the prompt's deadline.
    """

    home: ClassVar[str]
    """The provider's own URL."""
    variable: ClassVar[str]
    """What the setting of its key is called in the environment."""
    failures: ClassVar[tuple[type[Exception], ...]]
    """The errors of its SDK."""

    def __init__(
        self,
        name: str,
        model: str,
        api_key: SecretStr,
        base_url: str,
        timeout: float,
        reader: str,
        trial: bool = False,
        first_timeout: float | None = None,
        last_timeout: float | None = None,
        facts: Facts | None = None,
    ) -> None:
        self.name = name
        self.reader = reader
        self.trial = trial
        self.facts = facts or Facts()
        self.model = model
        self.url = base_url or self.home
        parts = urlsplit(self.url)
        self.custom = parts.hostname != urlsplit(self.home).hostname
        self.away = parts.hostname not in LOOPBACK  # the environment's proxy does not know this machine's own servers
        self.server = get_server(self.url)
        self.key = api_key
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self.faults = Faults(name, name.partition("/")[0], self.variable, shown, api_key, self.custom)
        self._timeout = timeout
        self._first = first_timeout or timeout
        self._last = last_timeout or self._first
        self._made: C | None = None
        self._making = Lock()

    @abstractmethod
    def connect(self, key: str) -> C:
        """Make the client; nothing is sent."""

    @abstractmethod
    def reading(self) -> Reading:
        """A reading of the answer that is about to come."""

    @abstractmethod
    async def ask(self, stack: AsyncExitStack, prompt: Prompt) -> Response:
        """Send the prompt; the response is open until the stack is closed."""

    @property
    def client(self) -> C:
        """The client, made when it is first needed."""
        with self._making:
            self._made = self._made or self.connect(self.key.get_secret_value().strip() or NO_KEY)
            return self._made

    async def warm(self) -> None:
        """Make the client now, beside everything else, so that the first question does not wait for it."""
        if self._made is None:
            await asyncio.to_thread(lambda: self.client)

    async def close(self) -> None:
        """Let go of connections."""
        if self._made:
            await self._made.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Answer the prompt. Closing the generator closes the connection, which makes the provider stop."""
        reading, decoder = self.reading(), Decoder()
        reading.length.limit = prompt.max_tokens
        now = asyncio.get_running_loop().time
        named = False
        async with AsyncExitStack() as stack:
            stack.enter_context(_billed(reading))
            watch = await self._open(stack, prompt, reading)
            while not reading.over:
                chunk = await self._next(watch, reading)
                for data in decoder.close() if chunk is None else decoder.feed(chunk):
                    if not named:
                        named = self._note_upstream(data)
                    if piece := reading.read(data):
                        yield piece
                        watch.speak(bool(piece.text))
                if chunk is None:
                    break
                if reading.end and not reading.goes_on:
                    watch.deadline = min(watch.deadline, now() + TAIL)
            if rest := reading.rest():
                yield rest
            yield reading.finish()
            await _drain(watch.body)

    def _note_upstream(self, data: bytes) -> bool:
        """Log which other model answers, where a gateway says it at the start of an answer; always true."""
        if upstream := read_upstream(data, self.model):
            log.info("the gateway names who answers", asked=self.name, **upstream)
        return True

    async def prepare(self, fields: Callable[[Prompt], Fields], prompt: Prompt) -> Fields:
        """The fields of the request, made in a thread where files have to be encoded: that can be megabytes."""
        if any(message.files for message in prompt.messages):
            return await asyncio.to_thread(fields, prompt)
        return fields(prompt)

    async def _open(self, stack: AsyncExitStack, prompt: Prompt, reading: Reading) -> Watch:
        """Ask; once more if the connection turns out to have been closed while it was idle."""
        if not SENDABLE.fullmatch(self.key.get_secret_value().strip()):
            raise self.faults.error(
                ModelFault.KEY, f"the value of {self.variable} cannot be a key: it was copied badly"
            )
        start = asyncio.get_running_loop().time()
        deadline = prompt.deadline or Deadline(inf)
        until = deadline.limit(self._last if deadline.last else self._first)
        try:
            await self.warm()
            async with asyncio.timeout_at(until):
                try:
                    response = await self.ask(stack, prompt)
                except self.failures as error:
                    if not is_dropped(error):
                        raise
                    response = await self.ask(stack, prompt)
        except TimeoutError:
            raise self.faults.late(round(until - start, 1), begun=False) from None
        except self._refusals() as error:
            raise self._told(error) from None
        reading.faults = self.faults.of(response.headers)
        log.debug("the model answers", model=self.name, request=reading.faults.request)
        if "html" in response.headers.get("content-type", ""):
            raise reading.faults.error(ModelFault.REQUEST, "a web page came back, no answer")
        encoded = "content-encoding" in response.headers
        body = response.iter_bytes() if encoded else response.http_response.aiter_raw()
        watch = Watch(body, start, until, deadline, self._timeout)
        stack.callback(watch.close)
        return watch

    async def _next(self, watch: Watch, reading: Reading) -> bytes | None:
        """The next bytes; None at the end, or where no more comes of an answer that is whole."""
        try:
            if (chunk := await watch.read()) and not reading.end:
                watch.live()
            return chunk
        except TimeoutError:
            error = reading.faults.late(watch.silence, reading.begun)
        except BREAKS as broken:
            error = reading.faults.broken(f"the connection broke ({find_reason(broken)})")
        if reading.end:
            return None
        raise error

    async def hear(self, response: httpx2.Response) -> None:
        """Read the words of a refusal, before the SDK would wait for all of them. Raises ModelError if they stall."""
        if response.status_code >= 400:
            try:
                async with asyncio.timeout(WORDS):
                    await response.aread()
            except (TimeoutError, *BREAKS):
                raise self._refused(response, "") from None

    def _refusals(self) -> tuple[type[Exception], ...]:
        """What asking may raise; a ValueError is about an address or a header that cannot be."""
        return (*self.failures, *BREAKS, ValueError)

    def _told(self, error: Exception) -> ModelError:
        if stalled := next((cause for cause in list_causes(error) if isinstance(cause, ModelError)), None):
            return stalled
        response = getattr(error, "response", None)
        return (
            self.faults.unreachable(find_reason(error)) if response is None else self._refused(response, response.text)
        )

    def _refused(self, response: httpx2.Response, words: str) -> ModelError:
        return self.faults.of(response.headers).refused(response.status_code, words, response.headers)


def trust() -> SSLContext:
    """Whom a client trusts: also the certificates that SSL_CERT_FILE and SSL_CERT_DIR name, on this machine too."""
    return httpx2.create_ssl_context()


@contextmanager
def _billed(reading: Reading) -> Iterator[None]:
    """Note on a failure what the attempt may cost: a request that was taken is paid for, a refused one is not."""
    try:
        yield
    except ModelError as error:
        if reading.usage or reading.begun or error.fault in TAKEN:
            error.bill = Bill(reading.usage)
        raise


async def _drain(body: AsyncIterator[bytes]) -> None:
    try:
        async with asyncio.timeout(DRAIN):
            async for _ in body:
                pass
    except TimeoutError:
        return
    except BREAKS:
        return
