"""HTTP/1.0 and 1.1 as a Protocol: bytes in, requests out; answers in, bytes out.

Knows:     the grammar (through httptools, which is llhttp), limits, states, framing, what to record.
Never:     the operating system, sockets, threads, signals, the clock: time comes from the transport.
Runs in:   the leader thread of a worker, and the master's only thread (admin endpoint).
See also:  protocol.py (start here), states.py (the table), wire.py (what a transport must do).
"""
