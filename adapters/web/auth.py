"""Who may use the page and the API: the key, or else only this machine and only its own pages."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import compare_digest
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.settings import Settings, is_loopback
from bot.runtime.health import Host

ALWAYS = ("/healthz", "/readyz")
CLOSED = (
    "This server can be reached from other machines and has no key, so only its health checks are served: "
    "set web.api_key (or PARLEY_WEB__API_KEY) and start it again."
)
LOCKED = "A key is needed here: send it as “Authorization: Bearer KEY”; it is the server's web.api_key."
STRANGE_HOST = (
    "Without a key this server answers only to 127.0.0.1 and localhost: "
    "set web.api_key (or PARLEY_WEB__API_KEY) to reach it by another name."
)
STRANGE_ORIGIN = "Pages of other sites may not use this server: add the site to web.cors_origins to allow it."
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""On every response, whoever makes it."""


class Strict:
    """Puts the strict headers on every response of an application, in place of its own of those names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def decorate(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = {**HEADERS, "cache-control": "no-cache" if is_page(scope["path"]) else "no-store"}
                kept = [(name, value) for name, value in message["headers"] if name.decode().lower() not in more]
                message["headers"] = [*kept, *((name.encode(), value.encode()) for name, value in more.items())]
            await send(message)

        await self._app(scope, receive, decorate)


class Guard:
    """Lets requests through to the application that may pass, and sends paths that others serve to them."""

    def __init__(self, app: ASGIApp, settings: Settings, host: Host) -> None:
        self._app = app
        self._settings = settings
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if mounted := self._host.mounts.get(scope["path"]):
            await mounted(scope, receive, send)
            return

        refusal = refuse(self._settings, scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send)


def refuse(settings: Settings, path: str, headers: Mapping[str, str]) -> JSONResponse | None:
    """The answer to a request that may not pass, in one sentence that says what to do; None for one that may."""
    if path in ALWAYS:
        return None
    if key := settings.api_key.get_secret_value():
        if is_page(path) or _has(key, headers):
            return None
        return JSONResponse({"error": LOCKED}, 401, {"WWW-Authenticate": "Bearer"})
    if settings.exposed:
        return JSONResponse({"error": CLOSED}, 403)
    if not is_loopback(_name(headers.get("host", ""))):
        return JSONResponse({"error": STRANGE_HOST}, 403)
    if not _own(headers, settings.cors_origins):
        return JSONResponse({"error": STRANGE_ORIGIN}, 403)
    return None


def is_page(path: str) -> bool:
    """Whether a path is the page or one of its files: the same for everyone, and without anything that was said."""
    return path == "/" or path.startswith("/static/")


def _has(key: str, headers: Mapping[str, str]) -> bool:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and compare_digest(token.strip().encode("latin-1"), key.encode())


def _name(host: str) -> str:
    """A Host header without its port."""
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def _own(headers: Mapping[str, str], allowed: tuple[str, ...]) -> bool:
    """Whether a request comes from no page at all, from our own, or from an allowed site's."""
    origin = headers.get("origin", "").lower()
    if not origin or origin in allowed or "*" in allowed:
        return True
    return urlsplit(origin).netloc == headers.get("host", "").lower()
