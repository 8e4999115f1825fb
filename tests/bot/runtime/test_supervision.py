"""Adapters that fall are started again, each by itself; what no retry mends goes up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.domain.errors import PlatformError, PlatformFault, SettingsError, StorageError
from bot.runtime.alerts import Alerts
from bot.runtime.health import Status
from bot.runtime.supervisor import LONGEST, SHORTEST, STEADY, supervise
from tests.support.clock import run

Life = Callable[[], Awaitable[None]]


def lives(*each: Life) -> tuple[list[float], Status]:
    """When an adapter with these lives was started each time, and its status after; in the end it runs for good."""
    starts: list[float] = []
    status = Status("test")
    left = list(each)

    async def adapter() -> None:
        starts.append(asyncio.get_running_loop().time())
        if left:
            await left.pop(0)()
            return
        status.up()
        await asyncio.Event().wait()

    async def main() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(supervise(status, adapter, Alerts()), 100_000)

    run(main())
    return starts, status


def failing(error: Exception, after: float = 0.0) -> Life:
    """A life that ends in an error."""

    async def life() -> None:
        await asyncio.sleep(after)
        raise error

    return life


def falls(logs: list[EventDict]) -> list[EventDict]:
    """The lines about the adapter, without those about whom was told of it."""
    return [line for line in logs if "adapter" in line]


def test_the_wait_doubles_up_to_a_minute() -> None:
    """1, 2, 4 … 60, 60 seconds; then it runs and is up."""
    starts, status = lives(*[failing(OSError("no network"))] * 9)
    assert [later - earlier for earlier, later in pairwise(starts)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (SHORTEST, LONGEST) == (1, 60)
    assert status.ready


def test_a_steady_life_starts_the_wait_afresh() -> None:
    """After two minutes that went well, the next fall waits a second; a shorter life counts as one more fall."""
    falls = [failing(OSError("x"))] * 3
    starts, _ = lives(*falls, failing(OSError("x"), after=STEADY + 1), failing(OSError("x"), after=10))
    assert [later - earlier for earlier, later in pairwise(starts)] == [1, 2, 4, STEADY + 1 + 1, 10 + 2]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PlatformError(PlatformFault.NETWORK, "the gateway is gone"), "the gateway is gone"),
        (StorageError("the disk is full"), "the disk is full"),
        (ConnectionResetError(), "ConnectionResetError"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_expected_fall_is_one_line(error: Exception, reason: str) -> None:
    """What a network or a platform does is told with its reason and the wait, and without a traceback."""
    with capture_logs() as logs:
        lives(failing(error))
    [line] = falls(logs)
    assert line["log_level"] == "warning"
    assert (line["adapter"], line["reason"], line["seconds"]) == ("test", reason, 1)
    assert "exc_info" not in line


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("a bug"), ZeroDivisionError()])
def test_a_bug_is_told_with_its_traceback_and_tried_again(error: Exception) -> None:
    """Nothing that an adapter raises takes the program down, or is silent."""
    with capture_logs() as logs:
        starts, status = lives(failing(error))
    assert len(starts) == 2
    assert status.ready
    [bug, fall] = falls(logs)
    assert (bug["log_level"], bug["exc_info"]) == ("error", True)
    assert (fall["log_level"], "exc_info" in fall) == ("warning", False)
    assert fall["reason"] == type(error).__name__


def test_an_end_without_an_error_is_a_fall_too() -> None:
    """An adapter that returns is started again."""

    async def end() -> None:
        return

    with capture_logs() as logs:
        starts, _ = lives(end)
    assert starts == [0, 1]
    assert [line["reason"] for line in falls(logs)] == ["it ended by itself"]


def test_a_mistake_in_the_settings_goes_up_at_once() -> None:
    """It is not tried again, and the status says why."""
    status = Status("test")
    begun: list[float] = []

    async def adapter() -> None:
        begun.append(asyncio.get_running_loop().time())
        raise SettingsError("discord.token is refused: copy it anew.")

    with pytest.raises(SettingsError, match=r"discord\.token is refused"):
        run(supervise(status, adapter, Alerts()))
    assert begun == [0]
    assert (status.ready, status.reason) == (False, "discord.token is refused: copy it anew.")


def test_the_status_says_why_while_it_waits() -> None:
    """Between a fall and the next start, the status is down with the reason."""
    status = Status("test")

    async def adapter() -> None:
        status.up()
        await asyncio.sleep(5)
        raise OSError("no route to host")

    async def main() -> tuple[bool, str]:
        supervising = asyncio.create_task(supervise(status, adapter, Alerts()))
        await asyncio.sleep(1)
        assert status.ready
        await asyncio.sleep(4.5)
        supervising.cancel()
        return status.ready, status.reason

    assert run(main()) == (False, "no route to host")


def test_a_cancelled_adapter_ends() -> None:
    """Cancellation is the way to stop it: it is passed on and nothing is started again."""
    status = Status("test")
    ended: list[str] = []

    async def adapter() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("closed")

    async def main() -> None:
        supervising = asyncio.create_task(supervise(status, adapter, Alerts()))
        await asyncio.sleep(1)
        supervising.cancel()
        with pytest.raises(asyncio.CancelledError):
            await supervising

    run(main())
    assert ended == ["closed"]


def test_an_adapter_that_is_cancelled_from_within_is_started_again() -> None:
    """A library that cancels what it awaits ends no adapter in silence."""

    async def life() -> None:
        waited = asyncio.get_running_loop().create_future()
        waited.cancel()
        await waited

    with capture_logs() as logs:
        starts, status = lives(life)
    assert starts == [0, 1]
    assert status.ready
    assert [line["reason"] for line in falls(logs)] == ["it was cancelled from within"]


def test_the_admins_are_told_of_a_fall() -> None:
    """Once, however often it falls, with the adapter's name and the reason."""
    told: list[str] = []
    alerts = Alerts(clock=lambda: 0.0)

    async def tell(sentence: str) -> None:
        told.append(sentence)

    async def adapter() -> None:
        raise OSError("no route to host")

    async def main() -> None:
        alerts.connect("slack", tell)
        with suppress(TimeoutError):
            await asyncio.wait_for(supervise(Status("discord"), adapter, alerts), 30)

    run(main())
    [sentence] = told
    assert "discord" in sentence
    assert "no route to host" in sentence
