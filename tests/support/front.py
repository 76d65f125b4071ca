"""A real proxy in front of a test's server: nginx or HAProxy, configured by the examples of deploy/.

Knows:     how each is started in the foreground without rights of its own, and what stands for what in the examples.
Never:     outlives its ``with`` block: it is ended by its pid.  A missing program fails the test.
Runs in:   the test process.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest

from tests.support.client import connect
from tests.support.ports import free_port
from tests.support.waiting import wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"

_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/front.log info;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/front-access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""

_STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
"""What passes connections on, where the Debian package libnginx-mod-stream puts it."""

_NGINX_STREAM = """
load_module {module};
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/front.log info;
events {{ worker_connections 512; }}
stream {{ include {folder}/site.conf; }}
"""


def example(name: str, changes: Mapping[str, str]) -> str:
    """Return an example of deploy/ with some of its texts replaced; each must be there."""
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


class Front:
    """One proxy; ``address`` is where it listens."""

    def __init__(self, folder: Path, program: str, text: str, port: int, main_of_nginx: str = _NGINX) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = f"127.0.0.1:{port}"
        self.folder = folder
        path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
        if path is None:
            pytest.fail(f"{program} is missing (Debian package {program})")
        main = folder / "front.conf"
        if program == "nginx":
            (folder / "site.conf").write_text(text)
            main.write_text(main_of_nginx.format(folder=folder, module=_STREAM_MODULE))
            self._command = [path, "-p", str(folder), "-c", str(main)]
        else:
            main.write_text(text)
            self._command = [path, "-f", str(main)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(self._answers, within=10, what=self.log)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        """Return what it has said."""
        files = [self.folder / "output.log", self.folder / "front.log"]
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            connect(self.address).close()
        except ConnectionRefusedError:
            return False
        return True


def nginx(folder: Path, upstreams: str, changes: Mapping[str, str] | None = None) -> Front:
    """Return an nginx as deploy/nginx has it; ``upstreams``: the lines that name the servers."""
    port = free_port()
    own = {
        "server 127.0.0.1:8080 fail_timeout=1s;": upstreams,
        "listen 80;": f"listen 127.0.0.1:{port};",
    }
    return Front(folder, "nginx", example("nginx/hybridd.conf", {**own, **(changes or {})}), port)


def nginx_stream(folder: Path, server: str) -> Front:
    """Return an nginx that passes connections on, as deploy/nginx has it; ``server``: where to."""
    if not _STREAM_MODULE.exists():
        pytest.fail(f"{_STREAM_MODULE} is missing (Debian package libnginx-mod-stream)")
    port = free_port()
    changes = {"server 127.0.0.1:8081;": f"server {server};", "listen 443;": f"listen 127.0.0.1:{port};"}
    return Front(folder, "nginx", example("nginx/proxy_protocol.conf", changes), port, _NGINX_STREAM)


def haproxy(folder: Path, servers: str, changes: Mapping[str, str] | None = None, name: str = "hybridd.cfg") -> Front:
    """Return a HAProxy as deploy/haproxy has it; ``servers``: the lines that name the servers."""
    port = free_port()
    line = "server one 127.0.0.1:8080 port 9815"
    bind = "bind :80\n"
    if name != "hybridd.cfg":
        line, bind = "server one 127.0.0.1:8081 send-proxy-v2", "bind :443\n"
    own = {line: servers, bind: f"bind 127.0.0.1:{port}\n"}
    return Front(folder, "haproxy", example(f"haproxy/{name}", {**own, **(changes or {})}), port)
