"""The page in a window of any size, and as text."""

from __future__ import annotations

from dataclasses import replace

from hybridd.top.keys import pressed
from hybridd.top.page import LOWEST, NARROWEST, Style, clean, compose, plain, share_lines, window
from hybridd.top.watch import Reading, begin, looked, missed
from tests.support.looks import call, look, worker


def watching(*, workers=3, calls=2, may_order=True):
    before = look([worker(slot) for slot in range(workers)], 60.0)
    flying = [call(f"/report/{number}", age=9.0 - number / 10) for number in range(calls)]
    figures = {"requests": 10, "calls_running": calls}
    after = [worker(slot, **(figures | {"calls": flying} if slot == 0 else {})) for slot in range(workers)]
    return looked(begin("/run/x.ctl", before, may_order=may_order), look(after, 61.0))


def texts(watch, width=100, height=20):
    return [line.text for line in compose(watch, width, height)]


def test_the_page():
    lines = texts(watching(), height=14)
    assert lines[0] == "hybridd 1.0  pid 7  up 1m01s  shop:app"
    assert lines[1] == "running: all ready"
    assert lines[2].startswith("req/s 10  p50 -  p99 -  running 2  queued 0  backlog 1/9  connections 0")
    assert lines[4].split()[:4] == ["slot▾", "pid", "gen", "state"]
    assert lines[5].split()[:3] == ["0", "100", "1"]
    assert lines[8] == "calls in flight, oldest first: 2 running, 0 queued"
    assert lines[9] == "   0    9.0s  running    GET /report/0  (7f)"
    assert lines[13].startswith("q quit  ? help")
    assert len(lines) == 14


def test_every_window_is_filled_and_never_more():
    for watch in (watching(workers=40, calls=30), watching(workers=0, calls=0)):
        for width in (1, NARROWEST - 1, NARROWEST, 80, 300):
            for height in (1, LOWEST - 1, LOWEST, LOWEST + 1, 24, 200):
                lines = compose(watch, width, height)
                assert len(lines) == height or (len(lines) <= height < LOWEST) or width < NARROWEST


def test_too_small_a_window_says_so():
    assert texts(watching(), 30, 5) == ["window too small: 30x5, 40x10 needed", "running: all ready"]


def test_workers_that_do_not_fit_move_with_the_choice():
    watch = replace(watching(workers=40, calls=0), chosen=30)
    lines = texts(watch, height=17)
    assert lines[3] == "10 of 40 workers are shown: ↑↓"
    assert [line.split()[0] for line in lines[5:15]] == [str(slot) for slot in range(25, 35)]
    assert compose(watch, 100, 17)[10].style is Style.CHOSEN
    assert "13 more do not fit" in " ".join(texts(watching(workers=1, calls=20), height=15))


def test_lines_are_shared():
    assert share_lines(10, 4, 3) == (4, 3)
    assert share_lines(10, 40, 0) == (10, 0)
    assert share_lines(9, 40, 40) == (6, 3)
    assert share_lines(9, 1, 40) == (1, 8)
    assert list(window(5, 4, 3)) == [2, 3, 4]


def test_a_path_cannot_write_to_the_terminal():
    watch = begin("x", look([worker(calls=[call("/\x1b[2J\n\u202e漢")])]), may_order=True)
    line = next(line for line in texts(watch) if "/\\x1b" in line)
    assert "GET /\\x1b[2J\\n\\u202e漢" in line
    assert clean("a\tb") == "a\\tb"


def test_a_loop_that_stands_still_is_told():
    text = plain(begin("x", look([worker(busy_for=1.5)]), may_order=True).picture, 100)
    assert "calls in flight, oldest first: 1 running, 0 queued" in text.splitlines()
    assert "   0    1.5s  on loop    the loop stands still: a handler runs on it" in text.splitlines()


def test_calls_that_nobody_has_named_are_counted():
    text = plain(begin("x", look([worker(calls_running=3, calls=[call("/a")])]), may_order=True).picture, 100)
    assert "3 running, 0 queued; 2 without a name" in text


def test_silence_is_told_and_the_figures_are_marked_as_old():
    page = compose(missed(watching(), "nobody listens on /run/x.ctl"), 100, 20)
    assert (page[1].text, page[1].style) == ("old figures, waiting: nobody listens on /run/x.ctl", Style.BAD)
    assert page[5].style is Style.FAINT


def test_the_last_line_asks_tells_or_helps():
    asked, _ = pressed(watching(), "-")
    assert texts(asked)[-1] == "Scale down to 2? (y/n)"
    busy, _ = pressed(watching(), "+")
    assert texts(busy)[-1] == "scale 4 …"
    assert texts(watching(may_order=False))[-1].endswith("read-only: /run/x.ctl")


def test_a_text_fills_the_page():
    reading = Reading("hybridd stacks 0", tuple(f"line {number}" for number in range(50)), at=45)
    lines = texts(replace(watching(), reading=reading), height=12)
    assert (lines[0], lines[1], lines[5], lines[6], len(lines)) == ("hybridd stacks 0", "line 45", "line 49", "", 12)


def test_as_text_everything_is_there():
    text = plain(watching(workers=40, calls=30).picture, 10_000)
    assert len(text.splitlines()) == 4 + 41 + 2 + 30
    assert "rss" in text
