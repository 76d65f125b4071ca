from xml.etree import ElementTree as ET

import pytest

from hybridd.compare.chart import Bar, Stack, bars, scale, stacks

BARS = [Bar("serial", 2.0, "2 s"), Bar("hybrid", 1.0, "1 s", best=True), Bar("pool", None, "-"), Bar("tiny", 0.0, "0")]


def parse(svg):
    return ET.fromstring(svg)


def test_the_longest_bar_fills_the_room_and_the_others_are_in_proportion():
    widths = [float(bar.get("width", "0")) for bar in parse(bars("k", "title", "what", BARS)).iter("rect")]
    assert len(widths) == 3  # who has no figure has no bar
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    assert widths[2] > 0


def test_the_best_is_in_the_accent_colour():
    kinds = [bar.get("class") for bar in parse(bars("k", "title", "what", BARS)).iter("rect")]
    assert kinds == ["bar", "bar best", "bar"]


def test_nothing_leaves_the_picture():
    svg = parse(bars("k", "title", "what", BARS))
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    for one in svg.iter("rect"):
        assert float(one.get("x", "")) + float(one.get("width", "")) <= width
        assert float(one.get("y", "")) + float(one.get("height", "")) <= height


def test_a_chart_says_in_words_what_it_shows():
    svg = parse(bars("cpu", "CPU < all", "serial 2 s & more", BARS))
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "cpu-title cpu-description"
    assert [(one.get("id"), one.text) for one in list(svg)[:2]] == [
        ("cpu-title", "CPU < all"),
        ("cpu-description", "serial 2 s & more"),
    ]


def test_a_chart_of_nothing_has_no_bars():
    assert not list(parse(bars("k", "t", "w", [Bar("serial", None, "-")])).iter("rect"))
    assert parse(bars("k", "t", "w", [Bar("serial", 0.0, "0")])) is not None


def test_a_bar_that_dwarfs_all_others_is_cut_and_says_so():
    rows = [Bar("process", 6000.0, "6,000 µs"), Bar("serial", 140.0, "140 µs"), Bar("hybrid", 70.0, "70 µs")]
    svg = parse(bars("k", "t", "w", rows))
    first, second, third = (float(one.get("width", "")) for one in svg.iter("rect"))
    assert second == pytest.approx(0.7 * first, rel=0.01)
    assert third == pytest.approx(0.35 * first, rel=0.01)
    assert len(list(svg.iter("path"))) == 1


@pytest.mark.parametrize(
    ("values", "most"), [([], 0), ([7], 7), ([5, 1], 5), ([6, 0.7], 1.0), ([6, 0, 0], 6), ([0, 0], 0)]
)
def test_what_fills_the_room(values, most):
    assert scale(values) == pytest.approx(most)


def test_stacked_parts_make_the_whole():
    svg = parse(stacks("k", "t", "w", [Stack("hybrid", [0, 16, 48], "16 and 48")]))
    found = list(svg.iter("rect"))
    assert [one.get("class") for one in found] == ["part1", "part2"]
    first, second = (float(one.get("width", "")) for one in found)
    assert second == pytest.approx(3 * first, rel=0.01)
    assert [one.text for one in svg.iter("text")] == ["16", "48", "hybrid"]
