"""Completion of the command line, as a real bash, zsh and fish offer it: the same in all three."""

from __future__ import annotations

import os
import shlex
import subprocess
from contextlib import ExitStack

import pytest

from tests.support.client import PATIENT
from tests.support.pages import ROOT
from tests.support.tools import require
from tests.support.waiting import wait_until

TYPED = [
    ("hybridd re", {"reload", "reopen-logs"}),
    ("hybridd run --pat", {"--pattern"}),
    ("hybridd run --pattern re", {"reactor"}),
    ("hybridd run --pattern=re", {"reactor"}),
    ("hybridd run -c sh", {"shop.yaml"}),
    ("hybridd run --chdir fo", {"folder"}),
    ("hybridd run --set timeouts.gr", {"timeouts.graceful="}),
    ("hybridd run --set log.format=", {"json", "text"}),
    ("hybridd run --set log.format=js", {"json"}),
    ("hybridd reload --tim", {"--timeout"}),
    ("hybridd worker res", {"restart"}),
    ("hybridd scale --timeout ", set()),
    ("hybridd nonsense --", set()),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("typed")
    (folder / "shop.yaml").touch()
    (folder / "folder").mkdir()
    return folder


def asked(shell, script, folder):
    """Return the words that a script prints, and what it says otherwise."""
    done = subprocess.run(
        [*shell, "-c", script], capture_output=True, text=True, check=True, cwd=folder, timeout=PATIENT
    )
    return done.stdout.split("\n"), done.stderr


@pytest.mark.parametrize(("typed", "offered"), TYPED)
def test_bash_completes(typed, offered, folder):
    """Words as readline takes them apart, at their end."""
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
    found, said = asked([require("bash")], script, folder)
    assert said == "complete -F _hybridd hybridd\n"
    assert set(found) - {""} == offered


@pytest.fixture(scope="module")
def of_fish(folder):
    """Ask one fish for all of them: it is slow to start."""
    shell = [require("fish"), "--no-config"]
    asks = "\n".join(f"echo :{number}; complete -C {shlex.quote(typed)}" for number, (typed, _) in enumerate(TYPED))
    found, said = asked(shell, f"source {ROOT}/completion/hybridd.fish\n{asks}", folder)
    assert said == ""
    answers: list[set[str]] = []
    for line in found:
        word = line.partition("\t")[0].rstrip("/")
        if word.startswith(":"):
            answers.append(set())
        elif word:  # fish completes KEY=VALUE as a whole
            answers[-1].add(word if word.endswith("=") else word.rpartition("=")[2])
    return answers


@pytest.mark.parametrize("number", range(len(TYPED)), ids=[typed for typed, _ in TYPED])
def test_fish_completes(number, of_fish):
    assert of_fish[number] == TYPED[number][1]


STARTUP = """\
fpath=({root}/completion $fpath)
autoload -Uz compinit && compinit -D
compadd() {{  # what is added is told; what only asks (-O, -A, -D) is not
    local -a hits
    if (( ! ${{@[(I)-[OAD]]}} )); then
        builtin compadd -O hits "$@"
        print -rl -- $hits >> $OFFERED
    fi
    builtin compadd "$@"
}}
typed=({typed})
zle-line-init() {{
    for BUFFER in "${{(@)typed}}"; do
        print -r -- : >> $OFFERED
        CURSOR=$#BUFFER
        zle complete-word
    done
    print -r -- the end >> $OFFERED
}}
zle -N zle-line-init
"""


@pytest.fixture(scope="module")
def of_zsh(folder):
    """Ask one zsh for all of them, in its line editor: only there it completes."""
    settings = folder / "settings"
    settings.mkdir()
    offered = settings / "offered"
    offered.touch()
    typed = " ".join(shlex.quote(typed) for typed, _ in TYPED)
    (settings / ".zshrc").write_text(STARTUP.format(root=ROOT, typed=typed))
    environment = {**os.environ, "ZDOTDIR": str(settings), "OFFERED": str(offered), "TERM": "dumb"}
    with ExitStack() as stack:
        master, slave = os.openpty()
        stack.callback(os.close, master)
        stack.callback(os.close, slave)
        zsh = subprocess.Popen(
            ["setsid", "--ctty", require("zsh"), "-d", "-i"], cwd=folder, env=environment, stdin=slave, stdout=slave,
            stderr=slave,
        )  # fmt: skip
        stack.callback(zsh.wait, PATIENT)
        stack.callback(zsh.kill)
        wait_until(
            lambda: "the end" in offered.read_text(),
            within=30,
            what=lambda: f"{offered.read_text()}\n{os.read(master, 65536)!r}",
        )
    _, *answers = offered.read_text().partition("the end")[0].split(":\n")
    return [{line for line in answer.splitlines() if line} for answer in answers]


@pytest.mark.parametrize("number", range(len(TYPED)), ids=[typed for typed, _ in TYPED])
def test_zsh_completes(number, of_zsh):
    assert of_zsh[number] == {word.rstrip("=") for word in TYPED[number][1]}  # there the sign is a suffix and no word
