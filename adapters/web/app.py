"""The web application: page, API and health behind one guard, with one shape for every error."""

from __future__ import annotations

from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from adapters.web import api, health
from adapters.web.auth import Guard, Strict
from adapters.web.settings import Settings
from bot.cli.arguments import version
from bot.domain.errors import StorageError
from bot.engine import Engine
from bot.runtime.health import Host
from bot.texts import BROKEN, STORAGE

STATIC = Path(__file__).parent / "static"

log = structlog.get_logger(__name__)


def build(engine: Engine, settings: Settings, host: Host) -> ASGIApp:
    """The whole application."""
    app = FastAPI(
        title="Parley",
        summary="Ask the bot over HTTP.",
        version=version(),
        docs_url=None,
        redoc_url=None,
        exception_handlers={HTTPException: _refused, StorageError: _unremembered, Exception: _broken},
    )
    app.include_router(api.routes(engine, host, settings))
    app.include_router(health.routes(engine, host))
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    guard = Guard(app, settings, host)
    return Strict(share(guard, settings.cors_origins) if settings.cors_origins else guard)


def share(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """Let the pages of other sites use the API."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("Authorization", "Content-Type"),
        expose_headers=(api.ID_HEADER, "Retry-After"),
    )


async def _refused(_: Request, error: Exception) -> JSONResponse:
    ours = error if isinstance(error, HTTPException) else HTTPException(500, BROKEN)
    return JSONResponse({"error": ours.detail}, ours.status_code, ours.headers)


async def _unremembered(_: Request, error: Exception) -> JSONResponse:
    log.error("the memory failed", error=str(error))
    return JSONResponse({"error": STORAGE}, 503)


async def _broken(_: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    return JSONResponse({"error": BROKEN}, 500)
