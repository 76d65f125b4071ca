"""A real application: Flask, started by ``hybridd run``, driven with curl and with httpx."""

from __future__ import annotations

import hashlib
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.client import PATIENT
from tests.support.tools import require


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return tmp_path_factory.mktemp("site") / "site.sqlite3"


@pytest.fixture
def site(share, database):
    return share({"application": "site_flask:app"}, environment={"SITE_DATABASE": str(database)})


def curl(*arguments, **further):
    return subprocess.run(
        [require("curl"), "-sS", "--max-time", str(PATIENT), *arguments], capture_output=True, check=True, **further
    ).stdout


def test_json_with_curl_and_httpx(site):
    sent = {"text": "grüße", "numbers": [1, 2.5, None]}
    said = curl("-H", "Content-Type: application/json", "-d", json.dumps(sent), f"{site.url}/json")
    assert json.loads(said)["got"] == sent
    with httpx.Client(base_url=site.url) as client:
        for _ in range(5):
            assert client.post("/json", json=sent).json()["got"] == sent


def test_upload(site, tmp_path):
    content = bytes(range(256)) * 8000  # 2 MB: beyond what is kept in memory
    file = tmp_path / "upload.bin"
    file.write_bytes(content)
    expected = ["upload.bin", len(content), hashlib.sha256(content).hexdigest()]
    said = json.loads(curl("-F", f"some=@{file}", "-F", "field=value", f"{site.url}/upload"))
    assert said == {"files": {"some": expected}, "form": {"field": "value"}}
    said = httpx.post(f"{site.url}/upload", files={"some": ("upload.bin", content)}, data={"field": "value"}).json()
    assert said["files"]["some"] == expected


def test_a_download_with_stream_with_context(site):
    rows = 100_000
    with httpx.stream("GET", f"{site.url}/download?rows={rows}&word=line") as answer:
        lines = list(answer.iter_lines())
    assert len(lines) == rows
    assert lines[0] == "0,line,/download"
    assert lines[-1] == f"{rows - 1},line,/download"
    assert curl(f"{site.url}/download?rows=3").decode().splitlines()[-1] == "2,row,/download"


def test_a_slow_download_keeps_its_context(site):
    """The client reads slowly: the generator is driven in several steps, each in the context of its request."""
    rows = 300_000
    said = curl("--limit-rate", "20M", f"{site.url}/download?rows={rows}")
    assert said.count(b"\n") == rows
    assert said.endswith(f"{rows - 1},row,/download\n".encode())


def test_cookies_and_session(site):
    with httpx.Client(base_url=site.url) as client:
        assert [client.get("/cookie").text for _ in range(3)] == ["0", "1", "2"]
        assert client.cookies["second"] == "cookie"
        assert [client.get("/session").text for _ in range(3)] == ["1", "2", "3"]


def test_a_file_with_ranges_and_conditions(site):
    whole = httpx.get(f"{site.url}/file")
    assert whole.status_code == 200
    part = httpx.get(f"{site.url}/file", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    same = httpx.get(f"{site.url}/file", headers={"If-None-Match": whole.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_a_database_from_many_clients(site):
    def add_and_read(number):
        with httpx.Client(base_url=site.url, timeout=20) as client:
            identity = client.post("/notes", content=f"note {number}").json()["id"]
            return client.get(f"/notes/{identity}").json()["text"] == f"note {number}"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(add_and_read, range(40)))


def test_an_error_in_a_view(site):
    assert httpx.get(f"{site.url}/error").status_code == 500
    site.wait_log("raised in a view")
    assert httpx.get(f"{site.url}/nowhere").status_code == 404
    assert httpx.get(f"{site.url}/").status_code == 200


def test_what_the_application_logs_stands_in_the_log(site):
    httpx.get(f"{site.url}/log?text=marker-4711")
    site.wait_log("marker-4711")


def test_a_factory(serve):
    server = serve({"application": "site_flask:create_app", "factory": True})
    assert "A Flask site" in server.fetch("/").text
