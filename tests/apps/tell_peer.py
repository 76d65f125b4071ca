"""A raw protocol that tells its client who it is, as the transport has it."""

from __future__ import annotations

import asyncio


class TellPeer(asyncio.Protocol):
    """Says its peer's name and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(repr(transport.get_extra_info("peername")).encode())  # type: ignore[attr-defined]
        transport.close()
