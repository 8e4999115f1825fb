"""A real browser for tests: headless Chromium, driven by the W3C WebDriver protocol."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--hide-scrollbars",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 30_000
"""Milliseconds that a condition may take to come true."""
UNTIL = "const done = arguments[0]; const look = () => ({}) ? done(true) : setTimeout(look, 10); look();"
ENTER, SHIFT = "\ue007", "\ue008"


def missing() -> str:
    """Why there is no browser to test with; empty if there is one."""
    if not any(map(shutil.which, NAMES)):
        return "no Chromium is installed (Debian: apt-get install chromium chromium-driver)"
    return (
        "" if shutil.which("chromedriver") else "no chromedriver is installed (Debian: apt-get install chromium-driver)"
    )


class Browser:
    """One tab."""

    def __init__(self, http: aiohttp.ClientSession, session: str) -> None:
        self._http = http
        self._session = session

    async def go(self, url: str) -> None:
        """Load a page, anew even if only the part after # differs."""
        await self._call("url", url="about:blank")
        await self._call("url", url=url)

    async def reload(self) -> None:
        """Load the page again."""
        await self._call("refresh")

    async def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of a function in the page and return what it returns."""
        return await self._call("execute/sync", script=script, args=list(arguments))

    async def until(self, expression: str) -> None:
        """Wait for an expression to hold in the page, or fail."""
        await self._call("execute/async", script=UNTIL.format(expression), args=[])

    async def texts(self, selector: str) -> list[str]:
        """What the elements show that match; those that cannot be seen are left out."""
        found: list[str] = await self.run(
            "const seen = [...document.querySelectorAll(arguments[0])].filter((node) => node.checkVisibility());"
            "return seen.map((node) => node.innerText)",
            selector,
        )
        return found

    async def click(self, selector: str) -> None:
        """Click an element as a person would: it has to be there, visible and not covered."""
        await self._call(f"element/{await self._find(selector)}/click")

    async def type(self, selector: str, text: str) -> None:
        """Type into an element."""
        await self._call(f"element/{await self._find(selector)}/value", text=text)

    async def ask(self, question: str) -> None:
        """Write a message on the chat page and send it."""
        await self.type("#message", question + ENTER)

    async def shape(self, width: int, height: int, dark: bool = False, scale: float = 1) -> None:
        """Make the page so large, in CSS pixels, and light or dark."""
        await self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self) -> bytes:
        """What is seen, as a PNG."""
        return base64.b64decode(await self._read("screenshot"))

    async def devtools(self, command: str, **parameters: Any) -> Any:
        """Send a command of the DevTools protocol."""
        return await self._call("goog/cdp/execute", cmd=command, params=parameters)

    async def _find(self, selector: str) -> str:
        found: dict[str, str] = await self._call("element", using="css selector", value=selector)
        return next(iter(found.values()))

    async def _call(self, command: str, **body: Any) -> Any:
        async with self._http.post(f"/session/{self._session}/{command}", json=body) as response:
            return check(await response.json())

    async def _read(self, command: str) -> Any:
        async with self._http.get(f"/session/{self._session}/{command}") as response:
            return check(await response.json())


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Browser]:
    """A fresh browser with a fresh profile, gone in the end."""
    driver = await asyncio.create_subprocess_exec("chromedriver", "--port=0", stdout=asyncio.subprocess.PIPE)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{await port(driver)}") as http:
            options = {
                "binary": next(filter(None, map(shutil.which, NAMES))),
                "args": [*FLAGS, f"--user-data-dir={profile}"],
            }
            wanted = {"goog:chromeOptions": options, "timeouts": {"script": PATIENCE}}
            async with http.post("/session", json={"capabilities": {"alwaysMatch": wanted}}) as response:
                session = check(await response.json())["sessionId"]
            try:
                yield Browser(http, session)
            finally:
                async with http.delete(f"/session/{session}"):
                    pass
    finally:
        driver.terminate()
        await driver.communicate()


async def port(driver: asyncio.subprocess.Process) -> int:
    """The port that the driver took, as it says itself."""
    assert driver.stdout
    async for line in driver.stdout:
        if found := re.search(rb"on port (\d+)\.", line):
            return int(found[1])
    raise RuntimeError("chromedriver ended before it was ready")


def check(answer: dict[str, Any]) -> Any:
    """The value of the driver's answer; an error it tells is raised."""
    value = answer["value"]
    if isinstance(value, dict) and "error" in value:
        raise RuntimeError(f"{value['error']}: {value['message'].splitlines()[0]}")
    return value
