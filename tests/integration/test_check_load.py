"""``hybridd check --load``: the application is loaded as a worker would, in a process of its own."""

from __future__ import annotations

import pytest

from tests.support.command import hybridd

GOOD = "def application(environ, start_response):\n    return []\n\n\ndef make():\n    return application\n"


@pytest.fixture
def check(tmp_path):
    def run(*arguments, **sources):
        for name, text in sources.items():
            (tmp_path / f"{name}.py").write_text(text)
        return hybridd("check", "--load", "--chdir", str(tmp_path), *arguments)

    return run


def test_an_application_that_loads(check):
    done = check("good_one:application", good_one=GOOD)
    assert (done.returncode, done.stdout) == (0, "configuration: ok\n"), done.stderr


def test_a_factory(check):
    assert check("good_two:make", "--factory", good_two=GOOD).returncode == 0


def test_without_the_flag_nothing_is_loaded(tmp_path):
    assert hybridd("check", "nowhere:application").returncode == 0


def test_a_misspelt_module(check):
    done = check("godo:application", good=GOOD)
    assert done.returncode == 70
    assert "there is no module 'godo' (did you mean 'good'?)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_name(check):
    done = check("good_three:aplication", good_three=GOOD)
    assert done.returncode == 70
    assert "did you mean 'application'" in done.stderr


def test_a_module_that_raises_is_told_with_its_traceback(check):
    done = check("broken:application", broken="import nothing_of_this_name\n")
    assert done.returncode == 70
    assert "nothing_of_this_name" in done.stderr
    assert "broken.py" in done.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os\nos._exit(3)\n", "ended its process with status 3 while it was loaded"),
        ("import os\nos.kill(os.getpid(), 9)\n", "was killed by SIGKILL while it was loaded"),
    ],
)
def test_a_module_that_takes_its_process_away(check, source, said):
    done = check("mad:application", mad=source)
    assert done.returncode == 70
    assert said in done.stderr


def test_a_module_that_does_not_end_its_loading(check):
    done = check(
        "stuck:application", "--set", "timeouts.boot=500ms", stuck="import threading\nthreading.Event().wait()\n"
    )
    assert (done.returncode, done.stderr) == (
        70,
        "hybridd: stuck:application did not load within 500ms (timeouts.boot)\n",
    )


def test_threads_of_the_application_do_not_keep_the_check_from_ending(check):
    source = f"import threading\nthreading.Thread(target=threading.Event().wait).start()\n{GOOD}"
    assert check("threaded:application", threaded=source).returncode == 0


def test_a_directory_that_does_not_exist():
    done = hybridd("check", "--load", "a:b", "--chdir", "/nowhere/at/all")
    assert done.returncode == 70
    assert done.stderr == "hybridd: chdir: cannot enter /nowhere/at/all: No such file or directory\n"


def test_a_protocol_that_is_none(check):
    done = check("--protocol", "good_four:make", good_four=GOOD)
    assert done.returncode == 70
    assert "asyncio.Protocol" in done.stderr
