"""A real application: Flask with JSON, upload, streamed download, cookies, session, files, a database, errors."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from pathlib import Path

from flask import Flask, Response, g, jsonify, make_response, request, send_file, session, stream_with_context

app = application = Flask(__name__)
app.secret_key = "only for tests"
DATABASE = os.environ.get("SITE_DATABASE", str(Path(tempfile.gettempdir()) / f"hybridd-site-{os.getuid()}.sqlite3"))


def database():
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE, timeout=10)
        g.database.execute("create table if not exists notes (id integer primary key, text not null)")
    return g.database


@app.teardown_appcontext
def close_database(_error):
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


@app.get("/")
def index():
    return "<!doctype html><title>site</title><h1>A Flask site</h1>"


@app.post("/json")
def json():
    return jsonify(got=request.get_json(), pid=os.getpid())


@app.post("/upload")
def upload():
    files = {}
    for name, file in request.files.items():
        content = file.stream.read()
        files[name] = [file.filename, len(content), hashlib.sha256(content).hexdigest()]
    return jsonify(files=files, form=request.form.to_dict())


@app.get("/download")
def download():
    rows = int(request.args.get("rows", "1000"))

    @stream_with_context
    def lines():
        for number in range(rows):
            yield f"{number},{request.args.get('word', 'row')},{request.path}\n"

    return Response(lines(), mimetype="text/csv")


@app.get("/file")
def file():
    return send_file(__file__, mimetype="text/x-python", conditional=True)


@app.get("/cookie")
def cookie():
    response = make_response(request.cookies.get("visits", "0"))
    response.set_cookie("visits", str(int(request.cookies.get("visits", "0")) + 1), httponly=True)
    response.set_cookie("second", "cookie")
    return response


@app.get("/session")
def counted():
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


@app.post("/notes")
def add_note():
    with database() as connection:
        number = connection.execute("insert into notes (text) values (?)", [request.get_data(as_text=True)]).lastrowid
    return {"id": number}, 201


@app.get("/notes/<int:number>")
def note(number):
    row = database().execute("select text from notes where id = ?", [number]).fetchone()
    return {"text": row[0]} if row else ({"error": "no such note"}, 404)


@app.get("/log")
def log():
    app.logger.error("written by the application: %s", request.args.get("text", ""))
    return "logged"


@app.get("/error")
def error():
    raise RuntimeError("raised in a view")


def create_app():
    return app
