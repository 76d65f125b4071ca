import pytest

from hybridd.compare import wrk
from hybridd.errors import OperatingSystemError, UsageError

OUTPUT = """\
Running 1s test @ http://127.0.0.1:33333/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   401.55us  812.07us  20.03ms   96.71%
    Req/Sec    51.98k     4.66k   58.44k    80.00%
  Latency Distribution
     50%  287.00us
     75%  345.00us
     90%  448.00us
     99%    3.91ms
  51884 requests in 1.01s, 6.53MB read
Requests/sec:  51494.37
Transfer/sec:      6.48MB
"""


def test_its_figures_are_found():
    assert wrk.parse(OUTPUT, 0.5) == {
        "requests": 51884,
        "failures": 0,
        "seconds": 1.01,
        "client_cpu": 0.5,
        "p50": pytest.approx(287e-6),
        "p99": pytest.approx(3.91e-3),
    }


def test_failures_are_no_answers():
    found = wrk.parse(
        f"{OUTPUT}  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 84\n", 0.5
    )
    assert (found["requests"], found["failures"]) == (51800, 94)


def test_output_without_figures_is_an_error_in_one_line():
    with pytest.raises(OperatingSystemError, match=r"wrk: unable to connect to 127\.0\.0\.1:1 Connection refused"):
        wrk.parse("unable to connect to 127.0.0.1:1\nConnection refused\n", 0.0)
    with pytest.raises(OperatingSystemError, match="it said nothing"):
        wrk.parse("", 0.0)


def test_a_missing_wrk_is_told_with_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"wrk is not installed .*; --load own needs nothing"):
        wrk.require()
