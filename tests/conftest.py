"""What holds for every test: a watchdog, leak checks, a printed seed, the server's log when a test fails.

The watchdog is SIGALRM in the main thread: it kills the processes that the test started, which ends most waits,
and fails the test.  Leaks of descriptors, threads and processes fail the test that made them.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import processes
from tests.support.server import ServerProcess
from tests.support.shared import SharedServers
from tests.support.tools import ENVIRONMENT, OF_THE_RUN, full
from tests.support.waiting import wait_until

# pytest-xdist's processes must put the tests in the same order: they inherit the seed of the first one.
SEED = int(
    ENVIRONMENT.get("HYBRIDD_TEST_SEED") or os.environ.get("SEED_OF_THE_RUN") or random.SystemRandom().getrandbits(32)
)
os.environ["SEED_OF_THE_RUN"] = str(SEED)
# A variable HYBRIDD_… is a setting, and one that is none is an error: those of the tests are not for hybridd, but for
# the processes of pytest-xdist.
for _name in [name for name in os.environ if name.startswith("HYBRIDD_")]:
    os.environ[OF_THE_RUN + _name] = os.environ.pop(_name)

LIMITS = {"unit": 60, "integration": 200}  # seconds per test, by the folder it is in; a marker overrides
LAST_RESORT = 600
REAL = ("integration", "proxies")  # folders whose tests start processes of this machine

# Files of few tests that take long.  pytest-xdist by itself begins with those of many tests, and the whole run would
# wait for these at its end.  The first of them computes, the next ones mostly wait.
FIRST = (
    *("test_unharmed", "test_upgrade_troubles", "test_hung", "test_watchdog", "test_reload_troubles"),
    *("test_http_cases_live", "test_upgrade", "test_recycling", "test_peers", "test_tls_listeners"),
)

FAILED = pytest.StashKey[bool]()

_servers: list[ServerProcess] = []  # those of the running test
_shared: list[SharedServers] = []  # those of the running file


def pytest_report_header() -> str:
    return f"seed: {SEED} (HYBRIDD_TEST_SEED={SEED} repeats it)"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "watchdog(seconds): how long this test may take; the default is its folder's")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffle the unit tests (they must not lean on each other); put files of real processes that take long first."""
    unit = [item for item in items if folder_of(item) == "unit"]
    random.Random(SEED).shuffle(unit)
    others = [item for item in items if folder_of(item) != "unit"]
    tests = Counter(item.path for item in others)
    place = {name: number for number, name in enumerate(FIRST)}
    others.sort(key=lambda item: (place.get(item.path.stem, len(FIRST)), -tests[item.path], item.path))
    items[:] = unit + others


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector away from what is imported and collected: all of it lives as long as the tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def folder_of(item: pytest.Item) -> str:
    """Return the folder under tests/ that a test lives in."""
    parts = item.path.parts
    return parts[parts.index("tests") + 1]


def servers_in_use() -> list[ServerProcess]:
    """Return the servers that the running test has, own and borrowed."""
    return [*_servers, *(server for shared in _shared for server in shared.lent)]


# -- the watchdog


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that takes too long, fixtures included, after killing what it started."""
    marker = item.get_closest_marker("watchdog")
    limit = marker.args[0] if marker else LIMITS.get(folder_of(item), LAST_RESORT)

    def bark(_number: int, _frame: object) -> None:
        faulthandler.dump_traceback(file=sys.__stderr__, all_threads=True)
        for server in servers_in_use():
            if server.started:
                processes.kill_session(server.pid)
        pytest.fail(f"watchdog: the test took longer than {limit} s")

    # Daemons of the platform kit must outlive the script that starts them, and are not ours.
    processes.adopt_orphans(adopt=folder_of(item) in REAL)
    before = signal.signal(signal.SIGALRM, bark)
    signal.setitimer(signal.ITIMER_REAL, limit, 10)  # and again, should the first failure be swallowed
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# -- leaks


def servers_that_stay() -> list[ServerProcess]:
    """Return the servers that other tests of the file will use."""
    return [server for shared in _shared for server in shared.running]


def descriptors() -> set[int]:
    """Return the open descriptors of this process, without that of the listing: a leak could have its number later."""
    listed = os.listdir("/proc/self/fd")  # noqa: PTH208 - names only
    return {int(name) for name in listed if os.path.lexists(f"/proc/self/fd/{name}")}


def leaked_descriptors(before: set[int]) -> list[str]:
    """Return what the descriptors are that were not open before; those of shared servers stay for others."""
    left = descriptors() - before - {server.notify.fileno() for server in servers_that_stay()}
    return [f"{fd}: {os.readlink(f'/proc/self/fd/{fd}')}" for fd in left]  # noqa: PTH115 - not a path


@pytest.fixture(autouse=True)
def _no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves descriptors, threads or processes behind."""
    fds = descriptors()
    threads = set(threading.enumerate())
    yield
    if full():
        gc.collect()  # what its garbage complains of (a warning is an error) is said of this test and of no later one
    if leaked_descriptors(fds):
        gc.collect()  # what only waits for the collector is a leak in a server, but not in a test
        left = leaked_descriptors(fds)
        assert not left, f"descriptors left open: {left}"
    match folder_of(request.node):
        case "unit":
            assert set(threading.enumerate()) <= threads, "threads left running"
        case folder if folder in REAL:
            wait_until(lambda: set(threading.enumerate()) <= threads, within=5, what="threads left running end")
            others = {server.pid for server in servers_that_stay()}
            children = [child for child in processes.children() if child.session not in others]
            for child in children:
                processes.reap(child.session)  # or the next test would be blamed too
            assert not children, f"processes left behind: {children}"


# -- the seed


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance that a printed seed repeats."""
    return random.Random(f"{SEED} {request.node.nodeid}")


# -- servers


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers: ``serve({"application": "hello:app"})`` returns when it is ready; the fixture ends them all.

    ``wait=False`` returns at once, ``start=False`` before it is started; everything else goes to ServerProcess.
    """

    def start(
        config: dict[str, Any] | None = None, *, wait: bool = True, start: bool = True, **further: Any
    ) -> ServerProcess:
        server = ServerProcess(tmp_path / f"server{len(_servers)}", config, **further)
        _servers.append(server)
        if start:
            server.start()
            if wait:
                server.wait_ready()
        return server

    problems: list[BaseException] = []
    try:
        yield start
    finally:
        for server in _servers:
            try:
                server.finish()
            except AssertionError as problem:
                problems.append(problem)
        _servers.clear()
    if problems:
        raise problems[0]


@pytest.fixture(scope="module")
def _shared_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServers]:
    shared = SharedServers(tmp_path_factory.mktemp("shared"))
    _shared.append(shared)
    try:
        yield shared
    finally:
        _shared.remove(shared)
        shared.finish()


@pytest.fixture
def share(_shared_servers: SharedServers, request: pytest.FixtureRequest) -> Iterator[Callable[..., ServerProcess]]:
    """Borrow servers: ``share({"application": "hello:app"})`` returns one that other tests of the file use too."""
    yield _shared_servers.lend
    _shared_servers.take_back(failed=request.node.stash.get(FAILED, False))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of the test's servers to the report of its failure."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    if report.failed and call.when == "call":
        for server in servers_in_use():
            report.sections.append((f"log of {server.folder.name}", server.log()[-20_000:]))
    return report
