"""Every case under tests/http_cases against the real daemon, over real sockets: whole, and cut at random places."""

from __future__ import annotations

import contextlib

import pytest

from tests.support.client import Client, request_bytes
from tests.support.http_cases import case_names, check, load_case, parse_responses

ECHO = {
    "application": "echo_cases:application",
    "workers": 1,
    "limits": {"body": "64KiB"},
    "timeouts": {"head": "500ms", "body": "500ms", "linger": "200ms"},
}
TRAILING = request_bytes("GET", "/trailing", {"Connection": "close"})


def play(address, case, pieces):
    """Let a client send the pieces and check everything that it can see."""
    with Client(address) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            for piece in pieces:
                client.send(piece)
            if case.fin:
                client.half_close()
            elif case.end != "waiting":
                client.send(TRAILING)
        seen = client.read_until_cut()
    methods = [event.method for event in case.events if event.status >= 200]
    responses = parse_responses(seen, [*methods, "GET"])
    if case.end == "open" and not case.fin:
        assert responses.pop().echoed()["target"] == "/trailing", "the connection was not open"
    elif case.end == "waiting" and len(responses) > len(case.events):  # of an empty line nobody speaks
        assert responses.pop().status == 408, "nobody waited"
    check(case, responses)


def cut(data, rng):
    """Cut the bytes into a few pieces."""
    places = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True) if start < end]


@pytest.mark.parametrize("how", ["whole", "cut"])
def test_cases(serve, rng, how):
    server = serve(ECHO)
    address = server.address
    problems = {}
    for name in case_names():
        case = load_case(name)
        try:
            play(address, case, [case.data] if how == "whole" else cut(case.data, rng))
        except (AssertionError, ValueError, OSError) as problem:
            problems[name] = f"{type(problem).__name__}: {problem}"
    assert not problems, "\n".join(f"{name}: {problem}" for name, problem in problems.items())
    assert server.fetch("/after").status == 200
    assert "Traceback" not in server.log()
    assert len(server.wait_workers(1)) == 1
