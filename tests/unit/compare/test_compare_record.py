import json
from dataclasses import replace

from hybridd.compare import record


def test_every_figure_is_there_in_seconds_and_bytes(comparison):
    document = json.loads(record.render(comparison))
    assert document["format"] == 1
    assert document["complete"] is True
    hybrid = document["patterns"][-1]
    assert hybrid["pattern"] == "hybrid"
    assert hybrid["workers"] == 3
    assert hybrid["demonstration"] == {"clients": 3, "sleep": 1.0, "answered": 3, "seconds": 1.01}
    assert hybrid["crowd"]["memory"] == 524288
    assert hybrid["load"]["cpu_of_best"] == 1.0
    assert hybrid["sentence"].endswith(".")


def test_what_the_client_limited_is_not_judged(comparison):
    document = json.loads(record.render(comparison))
    assert {one["load"]["rate_of_best"] for one in document["patterns"]} == {None}
    assert [one["load"]["limited_by_client"] for one in document["patterns"]] == [False] * 5 + [True] * 2


def test_what_was_not_measured_is_null(comparison):
    bare = replace(comparison, rows=(replace(comparison.rows[0], load=None, crash=None),))
    (serial,) = json.loads(record.render(bare))["patterns"]
    assert serial["load"] is None
    assert serial["crash"] is None
