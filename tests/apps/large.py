"""An application with some 30 MB of objects of its own, made when it is loaded."""

import os

TABLE = {number: (str(number), [number]) for number in range(150_000)}


def app(environ, start_response):
    body = f"{os.getpid()} {len(TABLE)}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
