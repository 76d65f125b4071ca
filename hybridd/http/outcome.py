"""The words for how requests and connections end: label values of the metrics and of the access log.

Knows:     nothing else; the scoreboard's layout is made from these tuples, so their order is the order of its words.
Runs in:   every process.
"""

from __future__ import annotations

from enum import StrEnum

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "other")
"""Values of the label ``method``; everything else counts as ``other`` so that clients cannot make labels."""

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
"""Values of the label ``code``: the class of a status."""

METHOD_INDEX = {method: index for index, method in enumerate(METHODS)}
OTHER_METHOD = METHOD_INDEX["other"]


class Rejection(StrEnum):
    """Why a request was refused: the label ``reason`` of ``hybridd_http_requests_rejected_total``."""

    BAD_REQUEST = "bad_request"
    URI_TOO_LONG = "uri_too_long"
    HEADERS_TOO_LARGE = "headers_too_large"
    BODY_TOO_LARGE = "body_too_large"
    HEAD_TIMEOUT = "head_timeout"
    BODY_TIMEOUT = "body_timeout"
    EXPECTATION = "expectation"
    NOT_IMPLEMENTED = "not_implemented"
    VERSION = "version"
    QUEUE_FULL = "queue_full"
    QUEUE_TIMEOUT = "queue_timeout"
    HANDLER_TIMEOUT = "handler_timeout"
    SPOOL_FULL = "spool_full"
    MISDIRECTED = "misdirected"


class CloseReason(StrEnum):
    """Why a connection ended: the label ``reason`` of ``hybridd_connections_closed_total``."""

    CLIENT = "client"  # FIN between requests, or before the first one
    DONE = "done"  # the answer said Connection: close
    KEEP_ALIVE_TIMEOUT = "keep_alive_timeout"
    HANDSHAKE_TIMEOUT = "handshake_timeout"  # before the protocol began: see net/opening.py
    TLS_HANDSHAKE = "tls_handshake"  # it failed; hybridd_tls_handshakes_total says how
    PROXY_HEADER = "proxy_header"  # none, none that can be read, or from somebody who is not trusted with one
    SILENT = "silent"  # not a byte came within timeouts.head
    HEAD_TIMEOUT = "head_timeout"
    BODY_TIMEOUT = "body_timeout"
    WRITE_TIMEOUT = "write_timeout"  # the client read nothing, or too slowly
    HANDLER_TIMEOUT = "handler_timeout"
    PROTOCOL_ERROR = "protocol_error"  # a request was refused
    DRAIN = "drain"
    RESET = "reset"  # the client went away inside a request or an answer
    ERROR = "error"  # the operating system reported another error
    EVICTED = "evicted"  # it waited for a request, and others needed its place
    EVICTED_NO_DESCRIPTORS = "evicted_no_descriptors"  # the same, for its file descriptor: there was no other
    ADDRESS_LIMIT = "address_limit"  # closed when it was accepted: its address has too many
    NO_DESCRIPTORS = "no_descriptors"  # closed when it was accepted: the process has no file descriptor left
    ABORTED = "aborted"  # cut by us: a response that cannot be completed, or a quick stop


class Handshake(StrEnum):
    """How a TLS handshake ended: the label ``result`` of ``hybridd_tls_handshakes_total``."""

    FULL = "full"
    RESUMED = "resumed"  # the client still knew the keys of an earlier one
    VERSION = "version"  # the client is too old
    CIPHER = "cipher"  # nothing in common
    CLIENT_CERTIFICATE = "client_certificate"  # there is none, or none of tls.client_ca
    ALERT = "alert"  # the client refused us: it does not trust our certificate, for example
    PLAIN_HTTP = "plain_http"  # answered 400
    NOT_TLS = "not_tls"
    TIMEOUT = "timeout"  # timeouts.handshake
    GONE = "gone"  # the client ended it
    FAILED = "failed"  # anything else


class Outcome(StrEnum):
    """What became of a request, in the access log."""

    SERVED = "served"
    REFUSED = "refused"  # over a limit, or something we do not implement
    SHED = "shed"  # 503: the queue is full, or it waited too long
    DEADLINE = "deadline"  # 408, 504
    CLIENT_GONE = "client_gone"  # 499: nobody was there to read the answer
    PROTOCOL_ERROR = "protocol_error"  # 400
    FAILED = "failed"  # our fault: the response was cut, or the body could not be stored


HANDSHAKES = tuple(Handshake)
REJECTIONS = tuple(Rejection)
CLOSE_REASONS = tuple(CloseReason)
REJECTION_INDEX = {reason: index for index, reason in enumerate(REJECTIONS)}
CLOSE_REASON_INDEX = {reason: index for index, reason in enumerate(CLOSE_REASONS)}

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that did not wait; only in the log, never on the wire."""
