"""Takes the picture of the page that the documents show: `python -m docs.screenshot`. Needs Chromium and its driver."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.browser import browser, missing
from tests.support.webserver import web

PICTURE = Path(__file__).parent / "images" / "page.png"
SIZE = (1200, 820)
READER = "a model on this machine"
TALK = (
    (
        "We meet on Mondays at 10:00 in Lisbon. When is that elsewhere?",
        "In winter, Lisbon is on UTC, so it is\n\n"
        "| city | time there | in working hours |\n|:--|--:|:-:|\n"
        "| São Paulo | 07:00 | no |\n| **Lisbon** | **10:00** | **yes** |\n| Delhi | 15:30 | yes |\n\n"
        "*São Paulo* is the only one that has to get up early.",
    ),
    (
        "And in Python?",
        "With `zoneinfo`, which knows about summer time:\n\n"
        "```python\nfrom datetime import datetime\nfrom zoneinfo import ZoneInfo\n\n"
        'meeting = datetime(2027, 1, 11, 10, 0, tzinfo=ZoneInfo("Europe/Lisbon"))\n'
        'print(meeting.astimezone(ZoneInfo("Asia/Kolkata")))\n```',
    ),
)


async def take(dark: bool = False, width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    """The page after a short conversation with a scripted model, as a PNG."""
    with tempfile.TemporaryDirectory() as folder:
        async with web(Path(folder)) as server, browser(Path(folder) / "profile") as page:
            server.model.reader = READER
            await page.shape(width, height, dark)
            await page.go(server.url)
            for question, answer in TALK:
                server.model.say(*answer.splitlines(keepends=True))
                await page.ask(question)
                await page.until("!document.querySelector('.growing') && document.querySelector('.answer')")
            await page.run("document.activeElement.blur()")
            return await page.picture()


def main() -> None:
    """Write docs/images/page.png."""
    if reason := missing():
        raise SystemExit(reason)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(asyncio.run(take()))
    sys.stdout.write(f"{PICTURE}\n")


if __name__ == "__main__":
    main()
