"""Sockets and time: the reactor, its transports and listeners.  Knows nothing of HTTP or applications."""
