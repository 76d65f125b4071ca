"""Every case under tests/http_cases against the real daemon, over real sockets: whole, byte by byte, cut at random."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from itertools import groupby, pairwise

from tests.support.client import Client, request_bytes
from tests.support.http_cases import REFUSALS, case_names, check, load_case, parse_responses
from tests.support.waiting import wait_until

ECHO = {
    "application": "echo_cases:application",
    "workers": 1,
    "limits": {"body": "64KiB"},
    "timeouts": {"head": "1s", "body": "1s", "linger": "200ms"},
}
UNHURRIED = {"head": "60s", "body": "60s"}
"""Of whom no deadline is awaited: who plays byte by byte may have to wait for a CPU between two of them."""
TRAILING = request_bytes("GET", "/trailing", {"Connection": "close"})
SINGLE = 300  # of so many bytes at either end of a case each is sent alone


def whole(data, rng):
    return [data]


def byte_by_byte(data, rng):
    places = [at for at in range(len(data)) if at < SINGLE or at > len(data) - SINGLE]
    return [data[start:end] for start, end in pairwise([*places, len(data)])]


def cut(data, rng):
    places = sorted({0, len(data), *(rng.randrange(len(data) + 1) for _ in range(3))})
    return [data[start:end] for start, end in pairwise(places)]


def send(client, case, pieces):
    """Send a case, and another request behind it unless that would make another case of it."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
        for piece in pieces:
            client.send(piece)
        if case.fin:
            client.half_close()
        elif case.end != "waiting":
            client.send(TRAILING)


def look(client, case):
    """Check everything that a client can see."""
    responses = parse_responses(client.read_until_cut(), [*case.methods, "GET"])
    if case.end == "open" and not case.fin:
        assert responses.pop().echoed()["target"] == "/trailing", "the connection was not open"
    elif case.end == "waiting" and len(responses) > len(case.events):  # of an empty line nobody speaks
        assert responses.pop().status == 408, "nobody waited"
    check(case, responses)


def problems(address, cases, way, rng):
    """Play all cases; those that end by a deadline wait for it together."""
    with contextlib.ExitStack() as clients:
        waiting = []
        for case in sorted(cases, key=lambda case: case.end != "waiting"):
            client = clients.enter_context(Client(address))
            send(client, case, way(case.data, rng))
            waiting.append((client, case))
            if case.end != "waiting":
                yield from problem(*waiting.pop(), way)
                client.close()
        for client, case in waiting:
            yield from problem(client, case, way)


def problem(client, case, way):
    try:
        look(client, case)
    except (AssertionError, ValueError, OSError) as error:
        yield f"{case.name}, {way.__name__}: {type(error).__name__}: {error}"


def refused(cases):
    """Count the statuses that the server itself gives."""
    return Counter(event.status for case in cases for event in case.events if event.status in REFUSALS)


def logged(server):
    """Count the statuses in the access log."""
    statuses = [re.search(r'" ([0-9]{3}) ', line) for line in server.access_log()]
    return Counter(int(status[1]) for status in statuses if status)


def wait_logged(server, expected):
    """Wait until the access log has so many lines with each of these statuses."""
    wait_until(
        lambda: expected.items() <= logged(server).items(),
        within=5,
        what=lambda: f"lines by status: {expected}; there are {logged(server)}",
    )


def test_cases(serve, rng):
    ways = (whole, byte_by_byte, cut)

    def settings(case):
        return case.end == "waiting", sorted(case.settings.items())

    for (hurried, own), group in groupby(sorted(map(load_case, case_names()), key=settings), settings):
        cases = list(group)
        timeouts = {} if hurried else UNHURRIED
        server = serve(ECHO | {"limits": ECHO["limits"] | dict(own), "timeouts": ECHO["timeouts"] | timeouts})
        found = [line for way in ways for line in problems(server.address, cases, way, rng)]
        assert not found, "\n".join(found)
        assert server.fetch("/after").status == 200
        expected = {status: count * len(ways) for status, count in refused(cases).items()}
        for status, count in expected.items():
            server.wait_metric("hybridd_http_requests_rejected_total", count, reason=REFUSALS[status].reason)
        wait_logged(server, expected)
        assert "Traceback" not in server.log()
        assert len(server.wait_workers(1)) == 1
