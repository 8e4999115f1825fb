"""The statements of Parley's own append, by SQLAlchemy Core over the same driver: what an ORM's core would cost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


async def measure(path: Path, turns: int, text: str) -> list[float]:
    """Seconds of each append to a file of Parley's with claimed turns from 1 on; empty without SQLAlchemy."""
    try:
        import greenlet  # noqa: F401
        from sqlalchemy import MetaData, delete, event, insert, select, update
        from sqlalchemy.ext.asyncio import create_async_engine
    except ImportError:
        return []
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")

    def set_up(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")

    event.listen(engine.sync_engine, "connect", set_up)

    tables = MetaData()
    async with engine.begin() as connection:
        await connection.run_sync(tables.reflect, only=["turns", "messages"])
    turn, message = tables.tables["turns"], tables.tables["messages"]
    times = []
    for number in range(1, turns + 1):
        start = time.perf_counter()
        async with engine.begin() as connection:
            found = await connection.execute(
                select(turn.c.place, turn.c.forgotten, turn.c.finished).where(turn.c.id == number)
            )
            place = found.one().place
            await connection.execute(update(turn).where(turn.c.joined == number).values(state="done"))
            numbers = message.c.number.in_([2 * number, 2 * number + 1])
            await connection.execute(delete(message).where(message.c.place == place, numbers))
            rows = [
                {"place": place, "number": 2 * number + part, "role": role, "content": text, "created": start}
                for part, role in enumerate(("user", "assistant"))
            ]
            await connection.execute(insert(message), rows)
            done = {"state": "done", "posts": "[]", "model": "", "fault": "", "draft": "", "finished": start}
            await connection.execute(update(turn).where(turn.c.id == number).values(done))
        times.append(time.perf_counter() - start)
    await engine.dispose()
    return times
