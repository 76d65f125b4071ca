"""A small Flask application: a path with a variable, the query, a template with a loop.

Knows:     Flask; the template is compiled once, as from a file.
Runs in:   every WSGI server that is measured.
"""

from __future__ import annotations

import os

from flask import Flask, render_template, request
from jinja2 import DictLoader

PAGE = """<!doctype html>
<html lang="en"><head><title>{{ name }}</title></head><body>
<h1>Hello, {{ name }}!</h1>
<ul>{% for number in range(10) %}<li>{{ number }} {{ word }}</li>{% endfor %}</ul>
</body></html>
"""

application = Flask(__name__)
application.jinja_loader = DictLoader({"greeting.html": PAGE})


@application.get("/greet/<name>")
def greet(name: str) -> str:
    """Greet by name, in a word that the query gives."""
    return render_template("greeting.html", name=name, word=request.args.get("word", "item"))


@application.get("/hello")
def hello() -> str:
    """Answer the harness when it asks whether we serve."""
    return "Hello, World!\n"


@application.get("/pid")
def pid() -> str:
    """Say which process answers."""
    return f"{os.getpid()}\n"
