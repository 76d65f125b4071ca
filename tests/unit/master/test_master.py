"""What the loop does beside the plan, with parts that only note it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hybridd.config.loading import load
from hybridd.master import events
from hybridd.master.certificates import NONE
from hybridd.master.listeners import Listeners
from hybridd.master.machine import Machine
from hybridd.master.master import Master, Parts
from hybridd.master.reload import Configurations, patience_of, policy_of
from hybridd.master.state import first_state
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words

MACHINE = Machine(cpus=4, open_files=1_000_000, somaxconn=4096)


class HandedListener:
    """One that the defaults ask for, and that whoever started us has bound."""

    name = "0.0.0.0:8080"
    number = 0
    owned = False

    def fileno(self):
        return 3


class DeafPart:
    """A part that is told and does nothing."""

    def happened(self, *_):
        pass


@pytest.fixture
def configurations(tmp_path):
    file = tmp_path / "hybridd.yaml"
    file.write_text("workers: 1\n")
    return Configurations(load([file], {}, {}), lambda: MACHINE, Listeners([HandedListener()]), NONE)


@pytest.fixture
def master(configurations):
    config = configurations.in_force
    state = first_state(1, patience_of(config), policy_of(config), drain_delay=0.0, slots=8)
    inheritance = SimpleNamespace(
        listeners=configurations._listeners, config=config, scoreboard=Scoreboard.create(words.LAYOUT, 1), stacks=None
    )
    parts = {name: DeafPart() for name in Parts.__slots__}
    parts |= {"configurations": configurations, "effects": SimpleNamespace(inheritance=inheritance)}
    return Master(state, SimpleNamespace(now=10.0), Parts(**parts))


def test_what_refused_reloads_have_read_is_forgotten(master, configurations):
    master._take([events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1)])
    for generation in range(2, 5):
        master._take([events.ReloadAsked(), configurations.read(), events.SpawnFailed(1, generation, "no process")])
        assert master.state.last_reload.refused
    assert configurations.worker_limits().keys() == {1}
