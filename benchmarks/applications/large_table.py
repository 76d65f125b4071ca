"""A Flask application with a table of some 50 MB of Python objects, made when it is loaded.

Runs in:   hybridd, with and without preload.
"""

from __future__ import annotations

from flask import Flask

ROWS = 260_000

TABLE = {number: (str(number), [number]) for number in range(ROWS)}

application = Flask(__name__)


@application.get("/<int:number>")
def look_up(number: int) -> str:
    """Answer with a row: its objects' counts of references change, and with them their pages."""
    name, values = TABLE[number % ROWS]
    return f"{name} {sum(values)}\n"
