"""What wrk reports."""

from __future__ import annotations

import pytest

from benchmarks.load.wrk import LoadFailed, parse_output

OUTPUT = """Running 1s test @ http://127.0.0.1:8080/hello
  1 threads and 32 connections
Requests/sec:  50000.00
BURST {"requests": 55000, "seconds": 1.100000, "bytes": 8000, "mean_ms": 0.5, "p50_ms": 0.4, "p99_ms": 2.5, \
"max_ms": 9.0, "failed_connects": 1, "failed_reads": 2, "failed_writes": 3, "bad_status": 4, "timeouts": 5}
"""


def test_the_line_of_the_script_is_found():
    burst = parse_output(OUTPUT)
    assert burst.rate == pytest.approx(50000.0)
    assert (burst.p50_ms, burst.p99_ms) == (0.4, 2.5)


def test_every_kind_of_failure_counts():
    assert parse_output(OUTPUT).failures == 15


def test_without_it_the_words_of_wrk_are_the_error():
    with pytest.raises(LoadFailed, match="unable to connect"):
        parse_output("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_silence_is_an_error_too():
    with pytest.raises(LoadFailed, match="nothing"):
        parse_output("")
