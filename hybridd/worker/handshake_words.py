"""The words of TLS handshakes in the scoreboard: of how many there were, by how they ended.

Only workers that have had one store them: the hot path of the others looks at one attribute.

Knows:     the words of http/outcome.py.
Runs in:   master and workers; written by the worker's leader.
"""

from __future__ import annotations

from typing import Final

from hybridd.http.outcome import HANDSHAKES
from hybridd.ops.layout import CounterFamily

FAMILY: Final = CounterFamily(
    "tls_handshakes",
    "hybridd_tls_handshakes_total",
    "TLS handshakes by how they ended; full and resumed are good.",
    {"result": HANDSHAKES},
)
