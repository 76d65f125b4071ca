"""The smallest application; and the same made by factories, behind dotted names, and under its usual second name."""

from __future__ import annotations


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]


app = application


def create_app(greeting="hello", *, times=1):
    body = f"{greeting}\n".encode() * times

    def made(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body]

    return made


class Site:
    application = staticmethod(application)
    number = 7
