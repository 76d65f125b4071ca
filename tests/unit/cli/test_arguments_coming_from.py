"""docs/coming-from.md: what it promises of flags and settings is there, and no setting of the others is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridd.cli.arguments import add_settings, new_parser, read
from hybridd.config.kind import Raw, Refused
from hybridd.config.settings import SCHEMA
from hybridd.errors import UsageError

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "coming-from.md").read_text()
SERVERS = ("gunicorn", "uWSGI", "waitress")
ROWS = [row for row in re.findall(r"^\| (.*) \| (.*) \|$", PAGE, re.MULTILINE) if row[0] not in SERVERS]

# All settings of gunicorn 27, by their flags, those without one by their names (KNOWN_SETTINGS in gunicorn.config).
GUNICORN = """
--access-logfile --access-logformat --asgi-disconnect-grace-period --asgi-lifespan --asgi-loop --backlog --bind
--ca-certs --capture-output --casefold-http-method --cert-reqs --certfile --chdir --check-config --ciphers --config
--control-socket --control-socket-mode --daemon --dirty-app --dirty-graceful-timeout --dirty-threads --dirty-timeout
--dirty-workers --disable-redirect-access-to-syslog --do-handshake-on-connect --dogstatsd-tags
--enable-backlog-metric --enable-stdio-inheritance --env --error-logfile --forwarded-allow-ips --forwarder-headers
--graceful-timeout --group --header-map --http-parser --http-protocols --http2-cleartext --http2-initial-window-size
--http2-max-concurrent-streams --http2-max-frame-size --http2-max-header-list-size --initgroups --keep-alive
--keyfile --limit-request-field_size --limit-request-fields --limit-request-line --log-config --log-config-json
--log-level --log-syslog --log-syslog-facility --log-syslog-prefix --log-syslog-to --logger-class --max-requests
--max-requests-jitter --name --no-control-socket --no-sendfile --paste --paste-global --permit-obsolete-folding
--permit-unconventional-http-method --permit-unconventional-http-version --pid --preload --print-config --protocol
--proxy-allow-from --proxy-protocol --pythonpath --reload --reload-engine --reload-extra-file --reuse-port
--root-path --spew --ssl-version --statsd-host --statsd-prefix --strip-header-spaces --suppress-ragged-eofs
--threads --timeout --umask --user --uwsgi-allow-from --websocket-max-message-size --worker-class
--worker-connections --worker-tmp-dir --workers child_exit default_proc_name dirty_post_fork dirty_worker_exit
dirty_worker_init logconfig_dict nworkers_changed on_dirty_starting on_exit on_reload on_starting post_fork
post_request post_worker_init pre_exec pre_fork pre_request secure_scheme_headers ssl_context tmp_upload_dir
when_ready worker_abort worker_exit worker_int wsgi_app
""".split()  # noqa: SIM905 - a list that is read

# Those of waitress 3 (Adjustments._params in waitress.adjustments).
WAITRESS = """
host port ipv4 ipv6 listen threads trusted_proxy trusted_proxy_count trusted_proxy_headers
log_untrusted_proxy_headers clear_untrusted_proxy_headers url_scheme url_prefix backlog recv_bytes send_bytes
outbuf_overflow outbuf_high_watermark inbuf_overflow connection_limit cleanup_interval channel_timeout
log_socket_errors max_request_header_size max_request_body_size expose_tracebacks ident asyncore_loop_timeout
asyncore_use_poll unix_socket unix_socket_perms sockets channel_request_lookahead server_name
""".split()  # noqa: SIM905 - a list that is read


def known_flags():
    parser = new_parser("run", "Run.")
    add_settings(parser)
    return {spelling for action in parser._actions for spelling in action.option_strings} | {"--load"}


def part(heading, end):
    return PAGE.partition(f"\n{heading}\n")[2].partition(f"\n{end}")[0]


@pytest.mark.parametrize(("theirs", "ours"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_what_the_page_names_exists(theirs, ours):
    for word in re.findall(r"`([^`]*)`", ours):
        if word.startswith("-"):
            assert word in known_flags()
        elif re.fullmatch(r"[a-z]+\.[a-z_]+", word) and word not in {"wsgi.file_wrapper", "paste.deploy"}:
            assert word in SCHEMA.settings


def test_what_is_the_same_is_spelled_the_same():
    rows = re.findall(r"^\| (`-.*) \| (.*) \|$", part("### The same", "### "), re.MULTILINE)
    assert len(rows) > 12
    for theirs, _ in rows:
        for flag in re.findall(r"`(--?[a-z-]+)`", theirs):
            assert flag in known_flags()


@pytest.mark.parametrize(("heading", "settings"), [("## gunicorn", GUNICORN), ("## waitress", WAITRESS)])
def test_no_setting_of_theirs_is_left_out(heading, settings):
    named = {
        word
        for theirs, _ in re.findall(r"^\| (.*) \| (.*) \|$", part(heading, "## "), re.MULTILINE)
        for word in re.findall(r"`([^`]*)`", theirs)
    }
    assert set(settings) - named == set()


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("--check-config", "hybridd check"),
        ("--print-config", "hybridd print-config"),
        ("--version", "hybridd --version"),
        ("--reload", "hybridd reload"),
    ],
)
def test_flags_that_are_commands_here(flag, meant):
    parser = new_parser("run", "Run.")
    with pytest.raises(UsageError, match=f"^unknown flag {flag}; did you mean {meant}$"):
        read(parser, [flag])


@pytest.mark.parametrize(
    ("worker_class", "pattern"),
    [("sync", "prefork"), ("gthread", "hybrid"), ("gevent", "hybrid"), ("eventlet", "hybrid")],
)
def test_worker_classes_are_told_what_they_are_here(worker_class, pattern):
    with pytest.raises(Refused, match=f", got {worker_class}; did you mean {pattern}$"):
        SCHEMA.settings["pattern"].kind.convert(Raw(worker_class))
    assert f"`{worker_class}`" in part("### Nearly the same", "### ")
