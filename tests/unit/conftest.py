"""What unit tests of several packages ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hybridd.worker.effort import mark
from tests.support.simulated_loop import SimulatedLoop


@pytest.fixture(scope="session", autouse=True)
def _run_queue() -> None:
    """Open the run queue of the thread that the tests run in: it stays open, and no test has leaked it."""
    mark()


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    """A reactor whose selector and clock are the test's."""
    loop = SimulatedLoop()
    yield loop
    loop.close()
