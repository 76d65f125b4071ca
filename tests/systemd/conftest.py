"""A machine with each systemd that is promised, started once for all tests of this folder."""

from __future__ import annotations

import os
import shutil

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.machine import ROOT, Machine, build_wheel
from tests.support.unit import Unit

SUITES = ["bookworm", "trixie"]  # systemd 252 with Python 3.11; 257 with 3.13

PARTS = (
    "pyproject.toml", "README.md", "LICENSE", "Makefile", "hybridd", "systemd", "config", "deploy", "man", "completion",
)  # fmt: skip


class BySuite(LoadScopeScheduling):
    """What belongs together for pytest-xdist: the tests of one machine."""

    def _split_scope(self, nodeid):
        return next((suite for suite in SUITES if f"[{suite}" in nodeid), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Let ``-n 2`` run the tests of each systemd side by side, all of one on one machine.

    Not the groups of pytest-xdist (3.8): with pytest 9.2 these say nothing and spread over all workers.
    """
    return BySuite(config, log)


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """The source, as an archive would have it; a build leaves its traces there and not in the checkout."""
    folder = tmp_path_factory.mktemp("source")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def wheel(source, tmp_path_factory):
    copy = shutil.copytree(source, tmp_path_factory.mktemp("build") / "source")
    return build_wheel(tmp_path_factory.mktemp("wheel"), copy)


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
    """hybridd.service, not running, as it is installed; so is every test's end, and the machine's beginning."""
    yield Unit(machine)
    stop_all(machine)


def stop_all(machine):
    machine.run(
        "systemctl stop hybridd.socket hybridd.service 'hybridd@*.service';"
        "systemctl disable -q --no-reload hybridd.socket hybridd.service; systemctl reset-failed;"
        "rm -rf /run/systemd/system/hybridd*.d /var/lib/private/hybridd/* && systemctl daemon-reload",
        check=False,
    )
