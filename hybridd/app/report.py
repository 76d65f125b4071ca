"""Write to the error log that an application failed a request.

Knows:     the request's words for the log: method, path, id.
Never:     decides what the client gets.
Runs in:   the thread that steps the exchange, within its window (an exception's ``__str__`` is application code).
"""

from __future__ import annotations

import logging

from hybridd.app.failure import describe
from hybridd.http.request import Request

LOGGER = logging.getLogger("hybridd.app")


def report_exception(request: Request, error: BaseException) -> None:
    """Log an exception that the application let out, with its traceback from the application's first frame on."""
    words = describe(error)
    frames = error.__traceback__
    _log(request, words, (type(error), error, frames and frames.tb_next))


def report_misuse(request: Request, problem: str) -> None:
    """Log that the application broke a rule of PEP 3333; ``problem`` goes on after "the application"."""
    _log(request, f"the application {problem}", None)


def _log(request: Request, text: str, exc_info: object) -> None:
    LOGGER.error(
        "%s %s: %s (%s)",
        request.method,
        request.path,
        text,
        request.id,
        exc_info=exc_info,  # type: ignore[arg-type]  # a traceback of None is allowed by logging, not by its types
        extra={"fields": {"method": request.method, "path": request.path, "request_id": request.id}},
    )
