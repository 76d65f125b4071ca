"""Raw TCP: tells how the kernel looks after its connection, then lets it do so within seconds instead of minutes."""

from __future__ import annotations

import asyncio
import socket

OPTIONS = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)


class Patient(asyncio.Protocol):
    def connection_made(self, transport):
        connection = transport.get_extra_info("socket")
        on = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, interval, count = (connection.getsockopt(socket.IPPROTO_TCP, option) for option in OPTIONS)
        for option in OPTIONS:
            connection.setsockopt(socket.IPPROTO_TCP, option, 1)
        transport.write(f"on {on}, after {idle} s, every {interval} s, {count} times\n".encode())
