"""``hybridd run``: load the configuration and become the master.

Knows:     the flags of the command.
Never:     what a master does.
Runs in:   the process that was started.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hybridd.cli.arguments import Parser, add_settings, new_parser, read
from hybridd.config.advice import lost_by_daemon

DESCRIPTION = """\
Serve an application, or without one the built-in welcome page. Every setting has a key in YAML, a variable
HYBRIDD_SECTION__KEY and --set; the flags below are for what is often set by hand. hybridd says READY to systemd, and
/readyz on the admin address, when the application is loaded."""


def make_parser() -> Parser:
    """Return what it understands."""
    parser = new_parser("run", DESCRIPTION, positional=True)
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run until the service ends; return its exit status."""
    loaded = read(make_parser(), arguments, positional=True).load()
    lost = (f"{one.key}: {one.text}" for one in lost_by_daemon(loaded.config))
    for warning in (*loaded.warnings, *lost):
        sys.stderr.write(f"hybridd: {warning}\n")
    from hybridd.master.main import run  # noqa: PLC0415 - --help and errors do without a master

    return run(loaded)
