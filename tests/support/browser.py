"""A real browser for a test: Chromium without a window, driven over a pipe by the Chrome DevTools Protocol.

What is said on the pipe is JSON with a NUL behind it (https://chromedevtools.github.io/devtools-protocol/).

Knows:     the program, the protocol.
Never:     skips: who asks for these tests has promised the program (Debian package chromium).
Runs in:   the test process.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support import processes
from tests.support.waiting import wait_until

WITHIN = 60.0
"""Seconds for an answer; a browser takes its time to start on a small machine."""

OPTIONS = (
    *("--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-breakpad", "--hide-scrollbars", "--window-size=1280,900"),
)


class Browser:
    """One browser with one page.

    Attributes:
        complaints: what the page did wrong: exceptions, and what its policy has refused.
        asked: the address of every request that the page has made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        self._unread = b""
        self._session: dict[str, str] = {}
        self.complaints: list[str] = []
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        program = shutil.which("chromium")
        if program is None:
            pytest.fail("chromium is missing (Debian package chromium)")
        theirs_in, self._out = _high_pipe()
        self._in, theirs_out = _high_pipe()
        root = ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses to be root otherwise
        command = [program, *OPTIONS, *root, f"--user-data-dir={self._folder / 'profile'}", "about:blank"]
        with (self._folder / "browser.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *command],
                env={**os.environ, "HOME": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs_in, theirs_out),
                start_new_session=True,
            )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            target = self.tell("Target.createTarget", url="about:blank")["targetId"]
            attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
            self._session = {"sessionId": attached["sessionId"]}
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.tell(f"{domain}.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        with suppress(OSError, AssertionError):
            self.tell("Browser.close")
        os.close(self._out)
        os.close(self._in)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        processes.kill_session(self._process.pid)
        self._process.wait(10)

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give an order and return its answer; what happens meanwhile is noted."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": parameters}
        if not method.startswith(("Target.", "Browser.")):  # those are the browser's own, the others the page's
            order |= self._session
        os.write(self._out, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + WITHIN
        while True:
            message = self._read(deadline, method)
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def open(self, address: str) -> None:
        """Have the page go there, and forget what was."""
        self.tell("Page.navigate", url=address)
        self.complaints.clear()
        self.asked.clear()

    def value(self, expression: str) -> Any:
        """Return what an expression is in the page."""
        asked = {"expression": expression, "returnByValue": True, "allowUnsafeEvalBlockedByCSP": False}
        answer = self.tell("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """Return the text of the first element that a selector finds, "" when there is none."""
        return str(self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def wait_text(self, selector: str, wanted: str, within: float = 20) -> str:
        """Wait until an element has ``wanted`` in it; return its text."""
        wait_until(
            lambda: wanted in self.text(selector),
            within=within,
            what=lambda: f"{wanted!r} in {selector}: {self.text(selector)!r}; complaints: {self.complaints}",
        )
        return self.text(selector)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Have another page in front of this one meanwhile."""
        other = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self.tell("Target.activateTarget", targetId=other)
        wait_until(lambda: self.value("document.hidden"), within=10, what="the page is hidden")
        yield
        self.tell("Target.closeTarget", targetId=other)
        self.tell("Page.bringToFront")

    def picture(self, path: Path) -> None:
        """Take a picture of the whole page."""
        answer = self.tell("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _read(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"the browser did not answer to {what} within {WITHIN:g} s"
            data = os.read(self._in, 1 << 20)
            assert data, f"the browser is gone: {(self._folder / 'browser.log').read_text(errors='replace')}"
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        found = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(found["exceptionDetails"]))
            case "Log.entryAdded" if found["entry"]["source"] in {"security", "javascript", "violation"}:
                self.complaints.append(found["entry"]["text"])
            case "Network.requestWillBeSent":
                self.asked.append(found["request"]["url"])


def _high_pipe() -> tuple[int, int]:
    """Return a pipe whose numbers are neither 3 nor 4, which the browser wants."""
    low = os.pipe()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in low]
    for fd in low:
        os.close(fd)
    return high[0], high[1]
