from __future__ import annotations

from hybridd.master.upgrade import how_it_ended, irreplaceable


def test_an_end_without_an_explanation_has_the_last_line():
    assert how_it_ended(["first", "wokers: unknown"]) == "the new master ended: wokers: unknown"
    assert how_it_ended([]) == "the new master ended without a word"


def test_who_may_leave_its_place():
    assert irreplaceable(1, 0, "hybridd: master").startswith("process 1 cannot be replaced")
    assert irreplaceable(7, 1, "tini").startswith("tini, the container's init")
    assert irreplaceable(7, 1, "systemd") == irreplaceable(7, 5, "tini") == irreplaceable(7, 1, "") == ""
