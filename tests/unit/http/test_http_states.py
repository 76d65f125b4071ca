"""The table is total, and its columns fit each other."""

from __future__ import annotations

import pytest

from hybridd.config.settings import Timeouts
from hybridd.http.states import Expiry, Input, State


def test_no_two_states_are_one():
    assert len(State) == len(State.__members__), "two rows that are equal would be aliases"


@pytest.mark.parametrize("state", State)
def test_a_row_fits(state):
    assert state.sentence
    assert not (state.reading and state.active)
    assert state.timeout in {"", *Timeouts.__slots__}
    if state.timeout:
        assert state.expiry is not Expiry.NOTHING, "a timeout must mean something"


@pytest.mark.parametrize("state", [state for state in State if state.input is Input.PARSE])
def test_who_waits_for_the_client_has_a_deadline(state):
    assert state.timeout or state is State.PARTING, "PARTING's comes from drain()"
    assert state.expiry in {Expiry.CLOSE, Expiry.PART, Expiry.REFUSE}


@pytest.mark.parametrize("state", [state for state in State if state.active])
def test_a_request_at_hand_is_not_disturbed_by_input(state):
    assert state.input is Input.KEEP
