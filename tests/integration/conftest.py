"""Fixtures of several files: certificates, a daemon that is started by its command, or as another user."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority, Made
from tests.support.daemon import DaemonProcess, wait_nobody_left

SERVICE = {"application": "service:app"}

# A shell without job control starts what it puts into the background (``make test &``) with SIGINT ignored, and that is
# inherited (POSIX, "Asynchronous AND-OR Lists"): Ctrl-C would mean nothing to the programs under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the clients of TLS trust."""
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def local(authority: Authority) -> Made:
    """The certificate of this machine."""
    return authority.sign("localhost", "DNS:localhost,IP:127.0.0.1")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may pass, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="hybridd-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def daemon(place: Path) -> Iterator[Callable[..., DaemonProcess]]:
    """Make daemons; they are ended after the test."""
    made: list[DaemonProcess] = []

    def make(config: Mapping[str, Any] | None = None, **further: Any) -> DaemonProcess:
        made.append(DaemonProcess(place / f"daemon{len(made)}", {**SERVICE, **(config or {})}, **further))
        return made[-1]

    yield make
    for one in made:
        one.finish()
    wait_nobody_left()  # one that failed has told the command so just before its end
