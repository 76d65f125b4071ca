"""Serve MODULE:ATTRIBUTE with bjoern, which has no command of its own: ``python serve_bjoern.py SPEC PORT``.

Runs in:   bjoern's environment.
"""

from __future__ import annotations

import importlib
import sys

import bjoern  # type: ignore[import-not-found]  # it is in its own environment


def main(spec: str, port: str) -> None:
    """Serve until a signal."""
    module, _, attribute = spec.partition(":")
    bjoern.run(getattr(importlib.import_module(module), attribute), "127.0.0.1", int(port), listen_backlog=2048)


if __name__ == "__main__":
    main(*sys.argv[1:])
