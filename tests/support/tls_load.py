"""Clients of TLS that connect all the time, each for one request, from a thread of their own.

Runs in:   the test process.
"""

from __future__ import annotations

import ssl
import threading
from typing import Self

from tests.support.client import ConnectionEnded
from tests.support.tls_client import TlsClient
from tests.support.waiting import patient, wait_until


class TlsLoad(threading.Thread):
    """``failures`` are what went wrong, ``serials`` the certificates that were shown."""

    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self.failures: list[str] = []
        self.served = 0
        self.serials: set[str] = set()
        self._address, self._context, self._over = address, context, threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Come again and again."""
        while not self._over.is_set():
            try:
                with TlsClient(self._address, self._context) as client:
                    certificate = client.tls.getpeercert() or {}
                    self.serials.add(str(certificate["serialNumber"]))
                    assert client.get("/").body == b"hello\n"
                self.served += 1
            except (OSError, AssertionError, ConnectionEnded) as error:
                self.failures.append(repr(error))

    def wait_served(self, more: int) -> None:
        """Wait until so many more were served."""
        enough = self.served + more
        wait_until(lambda: self.served > enough, within=10, what=f"{more} more are served")

    def stop(self) -> None:
        """Come no more; harmless twice."""
        self._over.set()
        self.join(patient(20))
