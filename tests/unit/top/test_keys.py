"""What a key does: choose, sort, ask, order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridd.top.keys import BY_NAME, KEYS, pressed
from hybridd.top.watch import Reading, answered, begin
from tests.support.looks import look, worker


def watching(*, may_order=True):
    return begin("here", look([worker(0, rss=1), worker(3, rss=9), worker(5, rss=5)]), may_order=may_order)


def after(watch, *names):
    order = None
    for name in names:
        watch, order = pressed(watch, name)
    return watch, order


def test_no_key_means_two_things():
    assert len(BY_NAME) == sum(len(key.names) for key in KEYS)


@pytest.mark.parametrize("name", ["q", "Q", "end of file"])
def test_leaving(name):
    assert after(watching(), name)[0].over


@pytest.mark.parametrize(
    ("names", "slot"), [(["down"], 3), (["down", "down", "down"], 5), (["page down", "up"], 3), (["up"], 0), (["M"], 0)]
)
def test_choosing_follows_the_order_on_the_page(names, slot):
    assert after(watching(), *names)[0].chosen == slot


def test_sorting_by_memory_and_moving_through_that_order():
    watch, _ = after(watching(), "M", "up")
    assert (watch.sort, [one.slot for one in watch.workers], watch.chosen) == ("rss", [3, 5, 0], 5)
    assert after(watch, "i")[0].turned
    assert after(watching(), "right")[0].sort == "pid"
    assert after(watching(), "left")[0].sort == "age"


def test_one_more_worker_needs_no_question():
    watch, order = after(watching(), "+")
    assert (order.method, order.path, order.arguments) == ("POST", "/scale", {"workers": 4})
    assert watch.busy is order


@pytest.mark.parametrize(
    ("name", "path", "arguments"),
    [("r", "/reload", {}), ("U", "/upgrade", {}), ("-", "/scale", {"workers": 2}), ("w", "/restart", {"slot": 3})],
)
def test_what_ends_something_asks_first(name, path, arguments):
    watch, order = after(watching(), "down", name)
    assert order is None
    assert watch.asked.question.endswith(("?", "."))
    assert after(watch, "n")[0].said.endswith("not done")
    watch, order = after(watch, "y")
    assert (order.path, order.arguments, watch.asked) == (path, arguments, None)


def test_one_order_at_a_time():
    busy, first = after(watching(), "l")
    watch, order = after(busy, "+")
    assert (order, watch.said, watch.failed) == (None, "scale 4: reopen-logs is still under way", True)
    assert after(answered(watch, first, "done", ok=True), "s")[1].arguments == {"slot": 0}


@pytest.mark.parametrize("name", ["r", "+", "-", "w", "s", "U", "l"])
def test_where_nothing_can_be_changed_keys_say_so(name):
    watch, order = after(watching(may_order=False), name)
    assert order is None
    assert watch.said.startswith("read-only: ")


def test_a_text_is_scrolled_and_put_away():
    reading = replace(watching(), reading=Reading("stacks", tuple("abcdefghijklm")))
    assert after(reading, "down", "down", "up")[0].reading.at == 1
    assert after(reading, "end", " ")[0].reading.at == 12
    assert after(reading, "end", "home")[0].reading.at == 0
    watch, _ = after(reading, "q")
    assert (watch.reading, watch.over) == (None, False)
    assert "asks first" in "".join(after(watching(), "?")[0].reading.lines)
    assert after(watching(may_order=False), "?")[0].reading.lines[-1].startswith("read-only (here)")
