"""What news make of what is known."""

from __future__ import annotations

from hybridd.top.watch import Order, answered, begin, looked, missed
from tests.support.looks import look, worker

ORDER = Order("scale 3", "POST", "/scale")


def first(*slots):
    return begin("here", look([worker(slot) for slot in slots or (0, 1)]), may_order=True)


def test_a_second_look_gives_rates():
    watch = looked(first(0), look([worker(0, requests=30)], 61.0))
    assert watch.picture.totals.pace.requests == 30.0


def test_the_choice_stays_with_its_slot_or_goes_to_the_next_one():
    watch = first(2, 4, 9)
    assert watch.chosen == 2
    assert looked(watch, look([worker(1), worker(2)], 61.0)).chosen == 2
    assert looked(watch, look([worker(1), worker(9)], 61.0)).chosen == 1
    assert looked(watch, look([], 61.0)).chosen == 2


def test_a_silence_keeps_the_figures_and_its_end_is_told():
    lost = missed(first(), "nobody listens")
    assert (lost.lost, lost.picture) == ("nobody listens", first().picture)
    again = looked(lost, look([worker(0)], 1.0, pid=8))
    assert (again.lost, again.said, again.picture.totals.pace.requests) == ("", "here answers again", None)


def test_a_verdict_is_a_line_below_and_a_long_one_a_page():
    done = answered(first(), ORDER, "3 workers ready\n", ok=True)
    assert (done.said, done.failed, done.reading) == ("scale 3: 3 workers ready", False, None)
    refused = answered(first(), ORDER, "refused: x\nTraceback\n  y", ok=False)
    assert refused.reading.lines == ("refused: x", "Traceback", "  y")
