"""How often one client may ask the model: a bucket of questions for each address, refilled by the second."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

REMEMBERED = 10_000
"""Clients that are counted; beyond them the one that was silent longest is counted anew."""
SITE = 64
"""Bits of an IPv6 address that one customer has to themselves, and can vary the rest of (RFC 6177)."""
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
"""Headers that proxies put in: behind one, this machine's address is everybody's."""
Clock = Callable[[], float]


class Rate:
    """`rate` questions a minute for each client; 0 for any number."""

    def __init__(self, rate: int, clock: Clock = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()  # questions used up, and when that was so

    def wait(self, client: str) -> int:
        """Count a question of a client, unless it is one too many: then the seconds until the next may come."""
        if not self._rate:
            return 0
        now, (used, since) = self._clock(), self._spent.pop(client, (0.0, 0.0))
        used = max(0.0, used - (now - since) * self._rate / 60)
        over = used + 1 - self._rate
        self._spent[client] = (used if over > 0 else used + 1, now)
        if len(self._spent) > REMEMBERED:
            self._spent.popitem(last=False)
        return max(1, math.ceil(over * 60 / self._rate)) if over > 1e-9 else 0


def client(request: HTTPConnection, proxies: Sequence[str]) -> str:
    """Who asks, as one line to count by; empty for this machine itself, not by way of a proxy.

    What X-Forwarded-For says is believed of this machine's own proxies and of those that are listed: from its end, up
    to the first address that is none of them.
    """
    peer = request.client.host if request.client else ""
    if _local(peer) and not any(sign in request.headers for sign in FORWARDED):
        return ""
    if _local(peer) or "*" in proxies or _listed(peer, proxies):
        named = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in filter(None, (address.strip() for address in reversed(named))):
            peer = hop
            if not _listed(hop, proxies):
                break
    return _site(peer)


def _listed(address: str, proxies: Sequence[str]) -> bool:
    try:
        return any(ip_address(address) in ip_network(proxy, strict=False) for proxy in proxies if proxy != "*")
    except ValueError:
        return False


def _local(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def _site(address: str) -> str:
    """An address, or the network that it is one of so many of; what is none is counted by its words."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:100] or "unknown"
    if isinstance(found, IPv6Address) and not found.ipv4_mapped:
        return str(IPv6Network((int(found), SITE), strict=False))
    return str(found.ipv4_mapped if isinstance(found, IPv6Address) else found)
