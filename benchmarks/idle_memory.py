"""Count the bytes that an idle connection keeps after one request: ``python -m benchmarks.idle_memory``.

Scenario g measures what the operating system sees, which moves by some 5 % from run to run; this counts what Python has
allocated (tracemalloc) and repeats exactly, for one version of Python.  The allocator adds some 5 %.

Knows:     a worker in this process, see instructions.py; its clients are bare descriptors, which cost Python nothing.
Never:     sees the kernel's part.
Runs in:   one process, one thread.
See also:  tests/integration/test_instructions.py holds the figure.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import socket
import sys
import tracemalloc
from array import array

from benchmarks.instructions import HELLO, clients_of_a_worker
from hybridd.net.reactor import Reactor

_ENOUGH = 65536
_OTHER_DESCRIPTORS = 200
_FIRST = 64
"""Connections that pay for the caches."""


def main(arguments: list[str] | None = None) -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle_memory", description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=3000, metavar="N", help="idle connections (3,000)")
    options = parser.parse_args(arguments)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and 2 * options.connections + _OTHER_DESCRIPTORS > hard:
        parser.error(f"{options.connections} connections need twice as many open files; {hard} are allowed")
    sys.stdout.write(f"{bytes_each(options.connections):.1f}\n")


def bytes_each(number: int) -> float:
    """Return what each of so many keeps."""
    kept = array("i", [-1]) * number
    with clients_of_a_worker(_FIRST, "off") as (worker, clients):
        for client in clients:
            _ask(worker.reactor, client.fileno())
        address = clients[0].getpeername()
        gc.collect()
        tracemalloc.start()
        for place in range(number):
            kept[place] = socket.create_connection(address).detach()
            worker.reactor.turn()
            _ask(worker.reactor, kept[place])
        gc.collect()
        each = tracemalloc.get_traced_memory()[0] / number
        tracemalloc.stop()
    for descriptor in kept:
        os.close(descriptor)
    return each


def _ask(reactor: Reactor, client: int) -> None:
    os.write(client, HELLO)
    reactor.turn()
    assert os.read(client, _ENOUGH).startswith(b"HTTP/1.1 200 ")


if __name__ == "__main__":
    main()
