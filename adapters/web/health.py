"""What machines ask: is it alive, is it ready, how does it fare."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from bot.domain.errors import StorageError
from bot.domain.ports import Memory
from bot.engine import Engine
from bot.runtime.health import Host

PROBE = "web:readyz"

log = structlog.get_logger(__name__)


def routes(engine: Engine, host: Host) -> APIRouter:
    """The paths for health checks and figures."""
    router = APIRouter()

    @router.api_route("/healthz", methods=["GET", "HEAD"], include_in_schema=False)
    async def alive() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.api_route("/readyz", methods=["GET", "HEAD"], include_in_schema=False)
    async def ready() -> JSONResponse:
        adapters = {name: "up" if status.ready else status.reason for name, status in host.statuses.items()}
        database = await writable(engine.memory)
        well = database and all(status.ready for status in host.statuses.values()) and not host.closing.is_set()
        state = "stopping" if host.closing.is_set() else "ready" if well else "not ready"
        found = {"status": state, "adapters": adapters, "database": "up" if database else "cannot be written"}
        return JSONResponse(found, 200 if well else 503)

    @router.get("/metrics", include_in_schema=False)
    async def figures() -> Response:
        return Response(engine.metrics.export(host), media_type=CONTENT_TYPE_LATEST)

    return router


async def writable(memory: Memory) -> bool:
    """Whether the memory takes a write, tried with one that changes nothing."""
    try:
        await memory.annotate(PROBE, "probe", None)
    except StorageError as error:
        log.error("the memory cannot be written", error=str(error))
        return False
    return True
