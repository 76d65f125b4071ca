"""An application that is deployed anew while it serves: each version answers with its own name.

Bytecode caching is on, as in production, so the sources differ in size: Python trusts a cached file whose source has
the same size and the same second.

Runs in:   the test process; the sources in the workers of a test's server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support.server import ServerProcess, merged

RAISES = "raise RuntimeError('broken on purpose')"
HANGS = "import threading; threading.Event().wait()"
CRASHES_LATER = """
import os, threading, time
def crash():
    time.sleep({seconds})
    os._exit(3)
threading.Thread(target=crash, daemon=True).start()
"""


def write_version(folder: Path, version: str, extra: str = "") -> None:
    """Put a version on disk; ``extra`` runs while it is imported."""
    folder.mkdir(exist_ok=True)
    padding = "#" * len(version) * 7 + "\n"
    (folder / "shop.py").write_text(f"""{padding}{extra}
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "{len(version)}")])
    return [b"{version}"]
""")


def shop(folder: Path) -> dict[str, Any]:
    """Return the settings that serve what is in ``folder``."""
    return {"application": "shop:app", "chdir": str(folder)}


def open_shop(
    serve: Callable[..., ServerProcess], folder: Path, settings: Mapping[str, Any] | None = None
) -> ServerProcess:
    """Serve version ``one``."""
    write_version(folder, "one")
    config = merged(shop(folder), settings or {})
    server = serve(config)
    server.wait_workers(config.get("workers", 2))
    assert server.fetch("/").body == b"one"
    assert list(folder.glob("__pycache__/*.pyc")), "bytecode caching is off: this test would prove nothing"
    return server


def reload_result(server: ServerProcess) -> float:
    """Return what the metrics say of the last reload: 1 or 0."""
    return server.metrics().value("hybridd_config_last_reload_successful")
