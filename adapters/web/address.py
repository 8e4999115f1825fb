"""What the operator types to see the page: its address, and over SSH the way to it."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.web.settings import Settings

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104


def address(settings: Settings) -> str:
    """The page's URL as seen from this machine."""
    host = WILDCARDS.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.port}"


def tunnel(settings: Settings, environ: Mapping[str, str]) -> str:
    """The command that brings the page to the machine that an operator on SSH sits at; empty when nobody is."""
    _, _, server, port = (*environ.get("SSH_CONNECTION", "").split(), "", "", "", "")[:4]
    if not server:
        return ""
    user = environ.get("USER") or environ.get("LOGNAME", "")
    there = address(settings).removeprefix("http://")
    other = f"-p {port} " if port not in ("", "22") else ""
    return f"ssh {other}-L {settings.port}:{there} {f'{user}@' if user else ''}{server}"
