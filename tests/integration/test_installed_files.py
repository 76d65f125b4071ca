"""What is installed beside the program: manual pages without a warning, completion in a real bash, make install."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from tests.support.pages import ROOT
from tests.support.tools import require


@pytest.mark.parametrize("page", ["hybridd.8", "hybridd.yaml.5"])
def test_troff_has_nothing_to_say_of_the_manual_pages(page):
    groff = require("groff", "groff-base")
    done = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", str(ROOT / "man" / page)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "HYBRIDD" in done.stdout


def completed(typed, folder):
    """Return what a bash would offer behind what was typed: words as readline takes them apart, at its end."""
    words = [part for word in typed.split(" ") for part in word.replace("=", " = ").strip(" ").split(" ")]
    script = f"""
        set -eu
        source {ROOT}/completion/hybridd.bash
        complete -p hybridd >&2
        compopt() {{ :; }}  # refused outside of a completion that readline asked for
        COMP_WORDS=({" ".join(shlex.quote(word) for word in words)}) COMP_CWORD={len(words) - 1}
        _hybridd
        wait  # for compgen
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [require("bash"), "-c", script], capture_output=True, text=True, check=True, cwd=folder, timeout=10
    )
    assert done.stderr == "complete -F _hybridd hybridd\n"
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("hybridd re", {"reload", "reopen-logs"}),
        ("hybridd run --pat", {"--pattern"}),
        ("hybridd run --pattern re", {"reactor"}),
        ("hybridd run --pattern=re", {"reactor"}),
        ("hybridd run -c sh", {"shop.yaml"}),
        ("hybridd run --set timeouts.gr", {"timeouts.graceful="}),
        ("hybridd run --set log.format=", {"json", "text"}),
        ("hybridd run --set log.format=js", {"json"}),
        ("hybridd reload --tim", {"--timeout"}),
        ("hybridd worker res", {"restart"}),
        ("hybridd scale --timeout ", set()),
        ("hybridd nonsense --", set()),
    ],
)
def test_bash_completes(typed, offered, tmp_path):
    (tmp_path / "shop.yaml").touch()
    assert completed(typed, tmp_path) == offered


def test_make_install_puts_files_where_packagers_expect_them_and_uninstall_takes_them_back(tmp_path):
    """Without the program, which needs the network: tests/systemd installs that too."""
    make = [require("make"), "-s", "-C", str(ROOT), f"DESTDIR={tmp_path}", "prefix=/usr"]
    subprocess.run([*make, "install-files"], check=True)
    found = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert set(found) == {
        "etc/hybridd/hybridd.yaml",
        "etc/logrotate.d/hybridd",
        "usr/lib/systemd/system/hybridd.service",
        "usr/lib/systemd/system/hybridd@.service",
        "usr/lib/systemd/system/hybridd.socket",
        "usr/lib/sysusers.d/hybridd.conf",
        "usr/share/bash-completion/completions/hybridd",
        "usr/share/man/man5/hybridd.yaml.5",
        "usr/share/man/man8/hybridd.8",
    }
    for name in ("hybridd.service", "hybridd@.service"):
        unit = found[f"usr/lib/systemd/system/{name}"].read_text()
        assert "\nExecStart=/usr/bin/hybridd run " in unit
        assert "\nExecReload=/usr/bin/hybridd reload\n" in unit
    # What an administrator has changed is kept, by another install and by uninstall.
    found["etc/hybridd/hybridd.yaml"].write_text("workers: 3\n")
    subprocess.run([*make, "install-files"], check=True)
    subprocess.run([*make, "uninstall"], check=True)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.read_text() for path in left] == ["workers: 3\n"]
