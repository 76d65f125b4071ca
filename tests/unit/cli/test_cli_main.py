"""Which command runs, what goes wrong, and what is said then."""

from __future__ import annotations

import pytest

from hybridd import __version__
from hybridd.cli.main import COMMANDS, HELP, complain, main
from hybridd.errors import BootError, ConfigurationError, ExitCode


def failing(capsys, *arguments):
    """Return the exit status and the only line on standard error."""
    status = main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return status, line


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command_and_fits_a_screen(capsys, flag):
    assert main([flag]) == 0
    assert capsys.readouterr().out == HELP
    assert all(f"  {name} " in HELP for name in COMMANDS)
    assert len(HELP.splitlines()) <= 34
    assert max(map(len, HELP.splitlines())) <= 110


def test_help_names_every_exit_status():
    for code in ExitCode:
        assert f"{code.value} " in HELP.partition("exit status:")[2].replace("\n", " ")


def test_version_names_python_and_the_libraries(capsys):
    assert main(["--version"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"hybridd {__version__}\nPython 3.")
    assert "PyYAML" in text
    assert "httptools" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], f"expected a command: {', '.join(COMMANDS)}; hybridd --help says more"),
        (["rnu"], "…, got rnu; did you mean hybridd run"),
        (["print_config"], "…, got print_config; did you mean hybridd print-config"),
        (["help"], "…, got help; did you mean hybridd --help"),
        (["version"], "…, got version; did you mean hybridd --version"),
        (["--hlp"], "…, got --hlp; did you mean hybridd --help"),
        (["--verison"], "…, got --verison; did you mean hybridd --version"),
        (["shop:app", "-w", "2"], "…, got shop:app; did you mean hybridd run shop:app -w 2"),
        (["-c", "x.yaml"], "…, got -c; did you mean hybridd run -c x.yaml"),
        (["x.yaml"], "…, got x.yaml; did you mean hybridd run -c x.yaml"),
        (["frobnicate"], "…, got frobnicate; hybridd --help says more"),
        (["run", "--worker", "3"], "unknown flag --worker; did you mean --workers"),
        (["run", "--work=3"], "unknown flag --work; did you mean --workers"),
        (["run", "--max-body=3"], "unknown flag --max-body; did you mean --set limits.body=…"),
        (["run", "--frobnicate"], "unknown flag --frobnicate; --help lists all"),
        (["run", "-w"], "--workers, -w: expected a value behind it"),
        (["run", "a:b", "c"], "unexpected argument c; usage: hybridd run [MODULE:CALLABLE] [-c FILE]... [OPTION]..."),
        (["health", "a:b"], "unexpected argument a:b; usage: hybridd health [-c FILE]... [OPTION]..."),
        (["check", "x.yml"], "expected MODULE:CALLABLE, got x.yml; did you mean -c x.yml"),
        (["check", "--set", "a"], "--set: expected KEY=VALUE such as timeouts.head=5s, got a"),
        (["check", "--set", "=a"], "--set: expected KEY=VALUE such as timeouts.head=5s, got =a"),
        (["check", "--set", "timeouts.haed=5s"], "--set timeouts.haed: unknown setting; did you mean timeouts.head"),
        (["check", "--set", "x=5"], "--set x: unknown setting; hybridd print-config shows all settings"),
        (
            ["health", "--timeout", "3"],
            "--timeout: expected a duration such as 2s, from 100ms to 1h, got 3; did you mean 3s",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(capsys, arguments, message):
    status, line = failing(capsys, *arguments)
    assert status == ExitCode.USAGE
    known = f"expected a command ({', '.join(COMMANDS)})"
    assert line == f"hybridd: {message.replace('…', known) if message.startswith('…') else message}"


def test_each_problem_of_a_configuration_is_one_line(capsys):
    assert main(["run", "-w", "0", "-b", "80", "-c", "/nowhere.yaml"]) == ExitCode.CONFIGURATION
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["hybridd"] * 3
    assert lines[0] == "hybridd: /nowhere.yaml: cannot read it: No such file or directory"
    assert lines[1].startswith("hybridd: -w: expected a whole number")
    assert lines[2].startswith("hybridd: -b: expected an address")


def test_errors_know_their_line(capsys):
    complain(ConfigurationError(["one", "two"]))
    complain(BootError("a reason\n  a traceback"))
    assert capsys.readouterr().err == "hybridd: one\nhybridd: two\nhybridd: a reason\n  a traceback\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: hybridd {command} ")


def test_an_interrupt_is_no_traceback(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("hybridd.cli.check.main", interrupted)
    assert main(["check"]) == 130
    assert capsys.readouterr() == ("", "")


def test_the_arguments_of_the_process_are_the_default(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["hybridd", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("hybridd ")
