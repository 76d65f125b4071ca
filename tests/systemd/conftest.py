"""A machine with each systemd that is promised, started once for all tests of this folder."""

from __future__ import annotations

import os

import pytest

from tests.support.machine import Machine, build_wheel
from tests.support.unit import Unit

SUITES = ["bookworm", "trixie"]  # systemd 252 with Python 3.11; 257 with 3.13


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session", params=SUITES)
def machine(request, wheel):
    """A machine on which hybridd is installed as the page says, with the tests' applications in /srv/apps."""
    machine = Machine(f"hybridd-{request.param}-{os.getpid()}", request.param)
    try:
        machine.up()
        machine.install(wheel)
        yield machine
    finally:
        machine.down()


@pytest.fixture
def unit(machine):
    """hybridd.service, not running, as it is installed; before and after the test."""
    stop_all(machine)
    yield Unit(machine)
    stop_all(machine)


def stop_all(machine):
    machine.run(
        "systemctl stop hybridd.socket hybridd.service 'hybridd@*.service';"
        "systemctl disable -q hybridd.socket hybridd.service; systemctl reset-failed;"
        "rm -rf /run/systemd/system/hybridd*.d /var/lib/private/hybridd/* && systemctl daemon-reload",
        check=False,
    )
