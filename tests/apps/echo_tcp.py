"""Raw TCP: an ordinary ``asyncio.Protocol`` that sends back what it gets; and classes that are none."""

from __future__ import annotations

import asyncio


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def eof_received(self):
        self.transport.write(b"bye\n")
        return False


class Buffered(asyncio.BufferedProtocol):
    pass


class Coroutines(asyncio.Protocol):
    async def data_received(self, data):
        pass


class NotOne:
    def data_received(self, data):
        pass


class Raises(asyncio.Protocol):
    def __init__(self):
        raise LookupError("no database today")


def make_echo(greeting=b""):
    return Echo()


async def make_later():
    return Echo()


def make_factory():
    return Echo
