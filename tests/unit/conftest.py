"""What unit tests of several packages ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.simulated_loop import SimulatedLoop


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    """A reactor whose selector and clock are the test's."""
    loop = SimulatedLoop()
    yield loop
    loop.close()
