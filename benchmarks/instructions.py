"""Count what the interpreter does for one hello on a kept connection: bytecode instructions and calls of functions.

    python -m benchmarks.instructions [--functions | --lookups] [--access-log FILE] [--connections N] [--json]

A clock cannot tell whether a change made a request 1 % dearer; a count can, because it repeats exactly (for one version
of Python).  It sees nothing of what a function written in C costs: a system call is one instruction.

Nor are all instructions alike.  To look an attribute or a global name up costs as much as any other once the
interpreter has specialised the instruction (PEP 659), and ten times as much where it could not: attributes that are
the class's and not the object's, properties, methods that are made anew to be passed on, functions kept in attributes
and called there (``one.clock()``; ``clock = one.clock`` and then ``clock()`` is quick).  So those are counted as well.

A worker is assembled in this process as it would be after its fork, and N clients ask once each before it turns its
loop once.  Its clock stands still, so that nothing happens that depends on how long counting takes.

Knows:     how a worker is put together, sys.settrace.
Never:     the time.
Runs in:   one process, one thread.
See also:  docs/performance.md; tests/integration/test_instructions.py holds the budget.
"""

from __future__ import annotations

import argparse
import dis
import json
import os
import platform
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import repeat
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from benchmarks.applications.wsgi_site import application
from hybridd.config.settings import Config
from hybridd.net.listener import Listener
from hybridd.ops import logs
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words
from hybridd.worker.addresses import Tables
from hybridd.worker.assembly import Worker, assemble
from hybridd.worker.spec import WorkerSpec

HELLO = (
    b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    b"Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Referer: http://shop.example/catalogue/lamps?page=2\r\n"
    b"Cookie: session=eyJ1c2VyIjo0MjE3fQ.ZxK2aw.1pQm5r0aM3o9cV; consent=necessary; theme=dark\r\n"
    b"Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
    b"Sec-Fetch-Site: same-origin\r\n\r\n"
)
"""The request of wrk.lua."""

_ENOUGH = 65536
_WARM_UP_TURNS = 4
_LOOKUPS = frozenset({"LOAD_ATTR", "LOAD_GLOBAL", "LOAD_METHOD", "STORE_ATTR"})
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Tally:
    """Of one request: instructions and calls, in all and by ``file:function``; and look-ups that take the long way.

    ``lookups``: by ``file:function name``; see _slow_lookups.
    """

    instructions: float
    calls: float
    functions: dict[str, tuple[float, float]] = field(default_factory=dict)
    lookups: dict[str, float] = field(default_factory=dict)


def main(arguments: list[str] | None = None) -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__.splitlines()[0])
    parser.add_argument("--functions", action="store_true", help="by function, not by file")
    parser.add_argument("--lookups", action="store_true", help="only the look-ups that take the long way")
    parser.add_argument("--access-log", default="off", metavar="FILE", help="count a line of the access log, too")
    parser.add_argument("--connections", type=int, default=32, metavar="N", help="requests of the one turn (32)")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    with clients_of_a_worker(options.connections, options.access_log) as (worker, clients):
        tally = _count(worker, clients)
    if options.json:
        sys.stdout.write(json.dumps(asdict(tally)))
    elif options.lookups:
        sys.stdout.write("".join(f"{times:6.2f}  {name}\n" for name, times in sorted(tally.lookups.items())))
    else:
        sys.stdout.write(_table(tally, by_function=options.functions))


def _table(tally: Tally, *, by_function: bool) -> str:
    groups = tally.functions if by_function else _by_file(tally.functions)
    groups = dict(sorted(groups.items(), key=lambda item: -item[1][0]))
    groups[f"of one hello; Python {platform.python_version()}"] = tally.instructions, tally.calls
    return "".join(f"{instructions:8.1f} {calls:6.2f}  {name}\n" for name, (instructions, calls) in groups.items())


@contextmanager
def clients_of_a_worker(number: int, access_log: str) -> Iterator[tuple[Worker, list[socket.socket]]]:
    """Give a worker that serves, and its connected clients."""
    config = replace(Config(), workers=1)
    config = replace(config, access_log=replace(config.access_log, file=access_log))
    scoreboard = Scoreboard.create(words.LAYOUT, 1)
    lifeline, _master = os.pipe()
    with socket.create_server(("127.0.0.1", 0), backlog=number) as listening:
        spec = WorkerSpec(
            slot=0,
            generation=1,
            config=config,
            listeners=(Listener(listening, "127.0.0.1:0", owned=False),),
            scoreboard=scoreboard,
            logs=logs.configure(config.log, config.access_log, {}),
            lifeline=lifeline,
            doorbell=os.eventfd(0),
            stack_files=(2,),
            addresses=Tables(1),
        )
        worker = assemble(spec, scoreboard.claim(0), application)
        worker.reactor.clock = repeat(worker.reactor.now).__next__  # no function of ours that would be counted
        worker.serving.begin(lifeline, 0.0)
        clients = []
        for _ in range(number):
            clients.append(socket.create_connection(listening.getsockname(), timeout=10))
            worker.reactor.turn()
        yield worker, clients


def _count(worker: Worker, clients: list[socket.socket]) -> Tally:
    """Let each client ask once, and count what the one turn does that answers all of them."""
    for _ in range(_WARM_UP_TURNS):
        _serve(worker, clients)
    executed: Counter[tuple[CodeType, int]] = Counter()
    entered: Counter[CodeType] = Counter()
    _ask(clients)
    sys.settrace(_tracer(executed, entered))
    worker.reactor.turn()
    sys.settrace(None)
    _check(clients)
    _serve(worker, clients)  # the interpreter goes back to instructions that nobody watches
    number = len(clients)
    instructions: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for (code, _), times in executed.items():
        instructions[_name(code)] += times
    for code, times in entered.items():
        calls[_name(code)] += times
    functions = {name: (instructions[name] / number, calls[name] / number) for name in calls}
    lookups = {name: times / number for name, times in _slow_lookups(executed).items() if times >= number}
    return Tally(instructions.total() / number, calls.total() / number, functions, lookups)


def _tracer(
    executed: Counter[tuple[CodeType, int]], entered: Counter[CodeType]
) -> Callable[[FrameType, str, Any], Any]:
    """Return what ``sys.settrace`` calls for each call and each instruction."""

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if event == "opcode":
            executed[frame.f_code, frame.f_lasti] += 1
        elif event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            entered[frame.f_code] += 1
        return trace

    return trace


def _slow_lookups(executed: Counter[tuple[CodeType, int]]) -> Counter[str]:
    """Find the instructions that look something up by its name and still are what the compiler made of them.

    The interpreter replaces them by others that know the place, where it can (``dis`` shows that as ``adaptive``).
    """
    found: Counter[str] = Counter()
    for code in {code for code, _ in executed}:
        for instruction in dis.get_instructions(code, adaptive=True):
            if instruction.opname.removesuffix("_ADAPTIVE") in _LOOKUPS:
                found[f"{_name(code)} {instruction.argval}"] += executed[code, instruction.offset]
    return found


def _name(code: CodeType) -> str:
    return f"{_place(code.co_filename)}:{code.co_qualname}"


def _place(file: str) -> str:
    path = Path(file)
    return path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else path.name


def _by_file(functions: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    files: dict[str, tuple[float, float]] = {}
    for name, (instructions, calls) in functions.items():
        file = name.rpartition(":")[0]
        before = files.get(file, (0.0, 0.0))
        files[file] = before[0] + instructions, before[1] + calls
    return files


def _serve(worker: Worker, clients: list[socket.socket]) -> None:
    _ask(clients)
    worker.reactor.turn()
    _check(clients)


def _ask(clients: list[socket.socket]) -> None:
    for client in clients:
        client.sendall(HELLO)


def _check(clients: list[socket.socket]) -> None:
    """Read the answers, which are all there."""
    for client in clients:
        answer = client.recv(_ENOUGH)
        if not (answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nHello, World!\n")):
            raise SystemExit(f"this is no hello: {answer!r}")


if __name__ == "__main__":
    main()
