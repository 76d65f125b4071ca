"""The application's metrics as text: both formats, what is left out, what crosses to the master."""

from __future__ import annotations

import os

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from hybridd.ops.application_metrics import Gathered, decode, encode, failed, gather, join
from tests.support.value_files import Process


def fill(folder):
    me = Process(folder, os.getpid())
    me.count(3, kind='with "quotes" and \\').level("liveall", 5).observe({"0.1": 1, "+Inf": 2}, 4.5)
    return me


def samples(parse, gathered):
    return {(s.name, *sorted(s.labels.items())): s.value for f in parse(gathered.body.decode()) for s in f.samples}


def test_both_formats_say_the_same(tmp_path):
    fill(tmp_path)
    classic = gather(str(tmp_path), openmetrics=False, most=100)
    modern = gather(str(tmp_path), openmetrics=True, most=100)
    assert modern.body.endswith(b"# EOF\n")
    assert samples(parse_text, classic) == samples(parse_openmetrics, modern)
    assert samples(parse_text, classic)["jobs_total", ("kind", 'with "quotes" and \\')] == 3
    assert samples(parse_text, classic)["level", ("pid", str(os.getpid()))] == 5
    assert samples(parse_text, classic)["time_count",] == 3
    assert classic.series == modern.series == 6


def test_what_is_left_out_is_counted_and_named(tmp_path):
    me = fill(tmp_path).count(1, "hybridd_jobs").say("histogram", {"bad_bucket": 1}, le="many")
    me.count(1, "uploads", path=os.fsdecode(b"/srv/\xff"))  # cannot be written as UTF-8
    for n in range(20):
        me.count(1, "large", n=str(n))
    (tmp_path / "summary_1.db").write_bytes(b"broken")
    gathered = gather(str(tmp_path), openmetrics=False, most=10)
    assert gathered.refused == {"reserved_name": 1, "invalid": 2, "too_many_series": 1, "damaged_file": 1}
    assert gathered.named == {
        "bad": "invalid",
        "hybridd_jobs": "reserved_name",
        "large": "too_many_series",
        "uploads": "invalid",
        "the file summary_1.db": "damaged_file",
    }
    assert gathered.series == 6


def test_what_crosses_the_pipe(tmp_path):
    fill(tmp_path)
    gathered = gather(str(tmp_path), openmetrics=True, most=100)
    assert decode(encode(gathered)) == gathered
    assert decode(encode(gathered)[:-1]) is None
    assert decode(b"") is None
    failure = failed("the disk is full")
    assert failure.refused == {"failed": 1}
    assert decode(encode(failure)) == failure


def test_the_end_mark_stands_once():
    assert join(b"a 1\n# EOF\n", b"b 2\n# EOF\n") == b"a 1\nb 2\n# EOF\n"
    assert join(b"a 1\n# EOF\n", Gathered().body) == b"a 1\n# EOF\n"
    assert join(b"a 1\n", b"b 2\n") == b"a 1\nb 2\n"
