"""What a hello on a kept connection costs the interpreter, and what the connection then keeps: counted, not measured,
so that it repeats exactly."""

import json
import subprocess
import sys

import pytest

INSTRUCTIONS = {(3, 11): 1465}
"""Of one hello, at most; by the version of Python, for each has instructions of its own."""

CALLS = 34.5
"""Of functions written in Python, at most: these are the same ones in every version."""

LOOKUPS = 5
"""By name, at most: what the interpreter could not specialise, which takes ten times as long."""

LINE_INSTRUCTIONS, LINE_CALLS = {(3, 11): 222}, 2.5
"""What a line of the access log adds, at most."""

IDLE_BYTES = 890
"""What Python allocates for an idle connection, at most; with what the allocator adds it must stay below 1,024."""


def count(*options):
    command = [sys.executable, "-m", "benchmarks.instructions", "--json", *options]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


@pytest.fixture(scope="module")
def hello():
    return count()


@pytest.fixture(scope="module")
def logged_hello(tmp_path_factory):
    return count("--access-log", str(tmp_path_factory.mktemp("log") / "access.log"))


def explain(tally):
    """Say what it is made of, for whoever made it dearer: `python -m benchmarks.instructions --functions` before."""
    return "\n".join(
        f"{instructions:8.1f} {calls:6.2f}  {name}"
        for name, (instructions, calls) in sorted(tally["functions"].items(), key=lambda item: -item[1][0])
    )


def test_a_hello_takes_no_more_calls_than_it_did(hello):
    assert hello["calls"] <= CALLS, explain(hello)


def test_a_hello_takes_no_more_instructions_than_it_did(hello):
    assert hello["instructions"] <= INSTRUCTIONS.get(sys.version_info[:2], 2500), explain(hello)


def test_a_hello_looks_no_more_up_by_name_than_it_did(hello):
    assert sum(hello["lookups"].values()) <= LOOKUPS, hello["lookups"]


def test_a_line_of_the_access_log_takes_no_more_than_it_did(hello, logged_hello):
    assert logged_hello["calls"] - hello["calls"] <= LINE_CALLS, explain(logged_hello)
    more = logged_hello["instructions"] - hello["instructions"]
    assert more <= LINE_INSTRUCTIONS.get(sys.version_info[:2], 400), explain(logged_hello)


def test_what_is_counted_repeats_exactly(hello):
    assert count() == hello


def test_an_idle_connection_keeps_no_more_than_it_did():
    command = [sys.executable, "-m", "benchmarks.idle_memory", "--connections", "1200"]
    counted = subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert float(counted.stdout) <= IDLE_BYTES
