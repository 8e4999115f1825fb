"""Keeping the adapters running: each alone, with back-off, none dying silently."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.domain.errors import ParleyError, SettingsError
from bot.runtime.alerts import Alerts
from bot.runtime.health import Status
from bot.texts import ALERTS

SHORTEST, LONGEST = 1.0, 60.0
"""Seconds before an adapter that fell is started again: doubled at each fall in a row, up to a minute."""
STEADY = 120.0
"""An adapter that has run so many seconds starts afresh with the shortest wait."""

log = structlog.get_logger(__name__)


async def supervise(status: Status, run: Callable[[], Awaitable[None]], alerts: Alerts) -> None:
    """Run an adapter until it is cancelled; start it again when it falls. SettingsError goes up: no retry mends it."""
    pause = SHORTEST
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            await run()
            reason = "it ended by itself"
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            reason = "it was cancelled from within"
        except SettingsError as error:
            status.down(str(error))
            raise
        except (ParleyError, OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
        except Exception as error:
            log.exception("an adapter broke", adapter=status.name)
            reason = type(error).__name__
        pause = SHORTEST if clock() - began > STEADY else min(pause, LONGEST)
        status.down(reason)
        alerts.tell(f"down {status.name}", ALERTS["down"].format(platform=status.name, reason=reason))
        log.warning("an adapter is down; starting it again", adapter=status.name, reason=reason, seconds=pause)
        await asyncio.sleep(pause)
        pause *= 2
