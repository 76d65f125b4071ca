"""``hybridd print-config``: every setting with its value and its origin.

Knows:     the flags of the command.
Never:     what values mean.
Runs in:   the command line tool.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from hybridd.cli.arguments import Parser, add_settings, new_parser, read
from hybridd.config.printing import json_text, yaml_text
from hybridd.config.settings import SCHEMA
from hybridd.errors import ExitCode

DESCRIPTION = """\
Print the configuration that hybridd run would have with the same arguments, each value with its origin. What is
printed can be loaded again; secrets are left out."""


def make_parser() -> Parser:
    """Return what it understands."""
    parser = new_parser("print-config", DESCRIPTION, positional=True)
    parser.add_argument("--json", action="store_true", help="print JSON: the configuration, and origins by key")
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print and return the exit status; raises ConfigurationError."""
    given = read(make_parser(), arguments, positional=True)
    loaded = given.load()
    text = json_text if given.options.json else yaml_text
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path is printed whatever its bytes and our locale
    sys.stdout.write(text(SCHEMA, loaded.config, loaded.origins))
    return ExitCode.CLEAN
