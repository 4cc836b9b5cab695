"""Debian's Chromium, driven by Playwright, that reaches nothing but this machine.

The headless shell is the same engine of the same build without the windows, tabs and profiles around it: a page costs
a third of the processor time. Where it is not to be had, the whole browser does the same.

    browser = await launch(playwright)
    with Outside() as outside:
        context = await browser.new_context(proxy=outside.proxy)

Whatever a context's pages and workers want from elsewhere goes to its `Outside`, a proxy that refuses it and writes it
down. What the browser wants for itself (it asks its maker for things) is refused and not written down. `Troubles`
collects what a person would see in the browser's console.
"""

import re
import shutil
import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, WebError

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
FOLDERS = ":/usr/bin:/usr/lib/chromium"
REFUSAL = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
LOCAL = re.compile(r"(https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/|about:|data:|blob:)")
SERVER_GONE = (
    r"net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING"
    r"|CONTENT_LENGTH_MISMATCH|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)"
)


def chromium_path() -> str:
    """The program. Raises RuntimeError that says what to install."""
    for name in NAMES:
        if found := shutil.which(name) or shutil.which(name, path=FOLDERS):
            return found
    raise RuntimeError("no Chromium is installed; browser tests need it: apt-get install chromium-headless-shell")


class Outside:
    """The world outside this machine: a proxy that refuses every request and keeps it in `asked`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """The first line of each request, such as `CONNECT example.com:443 HTTP/1.1`."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = int(self._listener.getsockname()[1])
        self.proxy = {"server": f"http://127.0.0.1:{port}", "bypass": "127.0.0.1,localhost,[::1]"}
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    head = connection.recv(4096)
                    connection.sendall(REFUSAL)
                except OSError:
                    head = b"nothing was said"
                self.asked.append(head.split(b"\r\n")[0].decode("latin-1"))


async def launch(playwright: Playwright, *arguments: str) -> Browser:
    """A headless browser of its own, with a profile of its own. Its maker is not asked how to fill in forms."""
    nobody = "http://127.0.0.1:9"
    away = (f"--proxy-server={nobody}", f"--autofill-server-url={nobody}/")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings")
    return await playwright.chromium.launch(
        executable_path=chromium_path(), headless=True, args=[*away, *quiet, *arguments]
    )


class Troubles:
    """What no page may cause unless the test says so: errors in scripts, errors in the console (refusals by the
    Content-Security-Policy among them), requests that leave this machine.
    """

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._expected: list[re.Pattern[str]] = []
        self.seen: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """From now on, every page of this context."""
        context.on("console", self._console)
        context.on("weberror", self._weberror)
        context.on("request", self._request)

    def expect(self, *patterns: str) -> None:
        """These belong to what is tested, such as `status of 403`. Regular expressions, found anywhere."""
        self._expected += [re.compile(pattern) for pattern in patterns]

    def server_goes_away(self) -> None:
        """The test kills the box: a browser says so in its console."""
        self.expect(SERVER_GONE)

    def unexpected(self) -> list[str]:
        """All that nobody expected, foreign requests first. Those are never expected."""
        foreign = [f"asked outside: {line}" for line in self._outside.asked]
        return foreign + [text for text in self.seen if not self._is_expected(text)]

    def _is_expected(self, text: str) -> bool:
        return not text.startswith("asked outside") and any(pattern.search(text) for pattern in self._expected)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.seen.append(f"console {message.type}: {message.text} ({_place(message.location)})")

    def _weberror(self, error: WebError) -> None:
        self.seen.append(f"page error: {error.error.stack or error.error.message}")

    def _request(self, request: Request) -> None:
        if not LOCAL.match(request.url):
            self.seen.append(f"asked outside: {request.method} {request.url}")


async def throttle_cpu(page: Page, times: float) -> None:
    """The page's CPU is so many times slower from now on; 1 is as it was."""
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": times})


def told(lines: Iterable[str]) -> str:
    """One below the other, for an assertion's message."""
    return "\n".join(["", *lines])


def _place(location: Any) -> str:
    return f"{location.get('url', '')}:{location.get('lineNumber', 0)}"
