import os

import pytest

from hybridd.compare.footprint import Process, members, parse_pss, parse_stat

TICK = os.sysconf("SC_CLK_TCK")


def stat(name="python", *, state="S"):
    after = [state, "7", "7", "7", "0", "-1", "4194304", *["0"] * 4, "11", "12", "150", "50", "20", "0", "5", "0", "99"]
    return f"4217 ({name}) {' '.join(after)} 1 2 3\n"


def test_a_line_of_stat():
    assert parse_stat(stat()) == Process(4217, 7, "S", 5, 200 / TICK, 99)


def test_a_name_may_hold_what_it_likes():
    assert parse_stat(stat("hybridd: worker 0 (gen 1) x")) == parse_stat(stat())


def test_what_is_no_such_line_is_nothing():
    assert parse_stat("") is None
    assert parse_stat("4217 (python) S 1") is None


def test_the_proportional_set_size():
    assert parse_pss("Rss:   2048 kB\nPss:   1024 kB\nPss_Dirty: 3 kB\n") == 1024 * 1024
    assert parse_pss("") == 0


@pytest.mark.parametrize("session", [0, -1])
def test_what_is_no_session_has_no_members(session):
    with pytest.raises(ValueError, match="no session"):
        members(session)
