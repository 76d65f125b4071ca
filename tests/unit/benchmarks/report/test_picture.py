"""The picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from benchmarks.outcome import Outcome, Table
from benchmarks.report.picture import draw, length

NOTHING = Table(("server",), ())
SVG = "{http://www.w3.org/2000/svg}"


def outcome(**picture):
    return Outcome("a", "hello & <more>", "a work", NOTHING, {}, picture)


def test_bars_grow_with_the_cost_and_stay_in_their_room():
    lengths = [length(cost) for cost in (0.0, 0.25, 0.5, 1, 2, 16, 1000)]
    assert lengths == sorted(lengths)
    assert lengths[0] > 0
    assert lengths[-2:] == [1.0, 1.0]


def test_one_is_a_third_of_the_room():
    assert length(1.0) == pytest.approx(1 / 3)


def test_it_is_xml_with_a_bar_per_server_and_whatever_the_names_hold():
    tree = ET.fromstring(draw([outcome(hybridd=1.0, bjoern=0.8, waitress=9.0)], "today & here"))
    assert len(tree.findall(f"{SVG}rect")) == 4  # three and the ground
    texts = [element.text for element in tree.findall(f"{SVG}text")]
    assert "(a) hello & <more>: CPU time" in texts
    assert "today & here" in texts


def test_the_cheapest_stands_first():
    tree = ET.fromstring(draw([outcome(hybridd=1.0, bjoern=0.8, waitress=9.0)], ""))
    names = [element.text for element in tree.findall(f"{SVG}text") if element.get("text-anchor") == "end"]
    assert names == ["bjoern", "hybridd", "waitress"]


def test_what_has_nothing_to_compare_is_not_drawn():
    tree = ET.fromstring(draw([outcome(hybridd=1.0)], ""))
    assert len(tree.findall(f"{SVG}rect")) == 1
