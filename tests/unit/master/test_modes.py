from __future__ import annotations

import pytest

from hybridd.master import events, preloading
from hybridd.master.children import Patience
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.fold import fold
from hybridd.master.modes import EVENTS, TABLE, Go, Ignore, Mode, cell
from hybridd.master.state import first_state


def test_every_mode_has_a_cell_for_every_event():
    for mode in Mode:
        assert set(TABLE[mode]) == set(EVENTS), mode


def test_every_event_is_in_the_table():
    declared = {
        thing
        for module in (events, preloading)
        for thing in vars(module).values()
        if isinstance(thing, type) and thing.__module__ == module.__name__
    }
    assert declared == set(EVENTS)


def test_every_ignored_cell_says_why():
    sentences = {where.because for row in TABLE.values() for where in row.values() if isinstance(where, Ignore)}
    assert sentences
    for sentence in sentences:
        assert sentence.startswith(("ignored: ", "refused: "))
        assert len(sentence.split()) > 3


def test_modes_only_advance():
    order = list(Mode)
    back = (Mode.UPGRADING, events.SuccessorDied)  # the old master goes on
    for mode, row in TABLE.items():
        for event, where in row.items():
            if isinstance(where, Go):
                assert order.index(where.to) >= order.index(mode) or (mode, event) == back, (mode, event)


@pytest.mark.parametrize("event", [events.ReloadAsked(), events.ScaleAsked(1), events.UpgradeAsked()])
def test_an_ignored_event_changes_nothing(event):
    state = first_state(2, Patience(), CrashPolicy(), drain_delay=0.0, slots=10)
    state = fold(state, events.StopAsked(), 1.0)
    assert isinstance(cell(state.mode, event), Ignore)
    assert fold(state, event, 2.0) is state


def test_nothing_leads_out_of_stopped():
    assert all(isinstance(where, Ignore) for where in TABLE[Mode.STOPPED].values())
