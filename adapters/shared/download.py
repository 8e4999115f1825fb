"""Fetching a file that somebody sent: from the hosts where a platform keeps its files, and from no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from bot.domain.errors import PlatformError, PlatformFault

PATIENCE = ClientTimeout(total=30.0, sock_read=10.0)
"""Seconds that a download may take, and that may go by without a byte of it."""
PIECE = 2**16
"""Bytes that are read at once."""


def admit(address: str, hosts: Collection[str], own: str = "") -> URL:
    """The address, where files may be: https on one of these hosts, or anything on the server that `own` leads to.

    Raises PlatformError REJECTED for any other, an empty one too.
    """
    url = _parse(address)
    if url and url.scheme == "https" and url.port == 443 and url.host in hosts:
        return url
    if url and own and url.origin() == URL(own).origin():
        return url
    raise PlatformError(PlatformFault.REJECTED, f"a file is kept elsewhere ({url.host if url else 'no address'})")


def weigh(size: int, most: int) -> None:
    """Raise PlatformError REJECTED for more than `most` bytes."""
    if size > most:
        raise PlatformError(PlatformFault.REJECTED, f"a file has more than {most} bytes")


@asynccontextmanager
async def opened(session: ClientSession, method: str, url: URL, **how: Any) -> AsyncIterator[ClientResponse]:
    """The answer to a call that follows no redirect; what breaks while it is read is a PlatformError too."""
    try:
        async with session.request(method, url, allow_redirects=False, **how) as response:
            yield response
    except (ClientError, TimeoutError, OSError) as error:
        raise PlatformError(PlatformFault.NETWORK, f"a file did not come through ({type(error).__name__})") from None
    except RuntimeError:
        if not session.closed:
            raise
        raise PlatformError(PlatformFault.NETWORK, "a file did not come through (the connection is closed)") from None


async def read(response: ClientResponse, most: int) -> bytes:
    """The whole body, unpacked. Raises PlatformError REJECTED once it has more than `most` bytes, and reads no more."""
    weigh(response.content_length or 0, most)
    data = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        data += piece
        weigh(len(data), most)
    return bytes(data)


def _parse(address: str) -> URL | None:
    """An absolute http address without a name to log in by; None for anything else."""
    try:
        url = URL(address)
    except ValueError:
        return None
    return url if url.scheme in ("http", "https") and url.host and not (url.user or url.password) else None
