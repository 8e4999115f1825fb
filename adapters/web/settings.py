"""[web]: where the chat page and the HTTP API are, and who may use them."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from pydantic import Field, SecretStr, field_validator

from bot.config.base import Section

ORIGIN = re.compile(r"\*|https?://[^/\s?#@]+")


class Settings(Section):
    """[web]: the chat page and the HTTP API."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; 127.0.0.1: this machine alone.")
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        description="Port to listen on; 0: any free one. PORT beats it, and then all addresses are listened on.",
        json_schema_extra={"env": "PORT", "wins": True, "implies": {"host": "0.0.0.0"}},  # noqa: S104
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="Key that the page and the API ask for; needed as soon as other machines can reach them.",
    )
    cors_origins: tuple[str, ...] = Field(
        (), description='Other sites whose pages may use the API, as "https://example.com"; "*" for all.'
    )

    rate: int = Field(
        20,
        ge=0,
        description="Questions a minute from one address; 0: any number. This machine may ask as often as it likes.",
    )
    proxies: tuple[str, ...] = Field(
        (),
        description="Addresses or networks of reverse proxies on other machines, whose X-Forwarded-For says who asks; "
        '"*" where nobody reaches Parley but through one. One on this machine is believed without.',
    )

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                _ = proxy == "*" or ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError('a proxy is written as "10.0.0.7" or "10.0.0.0/8"') from None
        return proxies

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not ORIGIN.fullmatch(origin):
                raise ValueError('an origin is written as "https://example.com", without a path or a slash at its end')
        return tuple(origin.lower() for origin in origins)

    @property
    def enabled(self) -> bool:
        """The web adapter is always on."""
        return True

    @property
    def exposed(self) -> bool:
        """Whether other machines may reach it."""
        return not is_loopback(self.host)

    @property
    def private(self) -> bool:
        """Whether it is for the people of this machine alone: a key is there for others, who come through a proxy."""
        return not self.exposed and not self.api_key.get_secret_value()


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without a port, means this machine and no other."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
