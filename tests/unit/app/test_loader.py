from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from hybridd.app.loader import load_object
from hybridd.errors import BootError, ExitCode


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Enter an empty directory for modules; what they leave in the import system is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]
    importlib.invalidate_caches()


def refused(spec: str, *, factory: bool = False) -> str:
    with pytest.raises(BootError) as info:
        load_object(spec, factory=factory)
    assert info.value.exit_code is ExitCode.CANNOT_BOOT
    assert info.value.__cause__ is None
    assert info.value.__suppress_context__ or info.value.__context__ is None  # one sentence, not two tracebacks
    return str(info.value)


def test_an_attribute_of_a_module_in_the_current_directory(site):
    site("wsgi_here.py", "def serve(environ, start_response): return ['here']")
    assert load_object("wsgi_here:serve")({}, None) == ["here"]
    assert sys.path[0] == str(Path.cwd())


def test_the_current_directory_comes_first_on_the_path(site):
    site("json.py", "def application(environ, start_response): ...")  # shadows the standard library's, as it should
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if name == "json" or name.startswith("json.")}
    try:
        assert load_object("json").__module__ == "json"
    finally:
        sys.modules.pop("json", None)
        sys.modules.update(saved)


def test_a_directory_already_first_is_not_put_there_twice(site):
    site("wsgi_twice.py", "application = app = print")
    load_object("wsgi_twice")
    load_object("wsgi_twice")
    assert sys.path.count(str(Path.cwd())) == 1


def test_packages_and_dotted_attributes(site):
    site("shop/__init__.py", "")
    site("shop/wsgi.py", "class Site:\n    class inner:\n        app = staticmethod(lambda e, s: ['dotted'])\n")
    assert load_object("shop.wsgi:Site.inner.app")(None, None) == ["dotted"]


@pytest.mark.parametrize("name", ["application", "app"])
def test_a_bare_module_has_its_application_under_a_usual_name(site, name):
    site("wsgi_bare.py", f"def {name}(environ, start_response): return ['{name}']")
    assert load_object("wsgi_bare")(None, None) == [name]


def test_factories(site):
    site("made.py", "def make(word='plain', *, twice=False):\n    return lambda e, s: [word] * (1 + twice)\n")
    assert load_object("made:make()")(None, None) == ["plain"]
    assert load_object("made:make", factory=True)(None, None) == ["plain"]
    assert load_object("made:make('x', twice=True)")(None, None) == ["x", "x"]


def test_text_that_is_no_reference(site):
    assert refused("wsgi.py") == "cannot load 'wsgi.py': 'wsgi.py' is a file; name the module: wsgi:application"


def test_no_such_module(site):
    site("mysite.py", "")
    text = refused("mysiet:app")
    assert "there is no module 'mysiet' (did you mean 'mysite'?)" in text
    assert f"looked in {Path.cwd()} and along sys.path: " in text
    assert "Traceback" not in text


def test_no_such_module_that_differs_only_in_case(site):
    site("MySite.py", "")
    assert "(did you mean 'MySite'?)" in refused("mysite:app")


def test_no_such_module_like_an_installed_one(site):
    assert "(did you mean 'flask'?)" in refused("flaskk:app")


def test_no_such_module_and_nothing_like_it(site):
    assert "did you mean" not in refused("qqxyzzyqq:app")


def test_no_such_module_in_a_package(site):
    site("shop2/__init__.py", "")
    site("shop2/wsgi.py", "")
    text = refused("shop2.wsgj:app")
    assert "there is no module 'shop2.wsgj' (did you mean 'wsgi'?)" in text
    assert f"looked in {Path.cwd() / 'shop2'}" in text


def test_a_module_is_not_a_package(site):
    site("flat.py", "")
    assert "there is no module 'flat.wsgi': 'flat' is a module, not a package" in refused("flat.wsgi:app")


def test_a_dot_where_a_colon_belongs(site):
    site("dotted.py", "def application(environ, start_response): ...\n")
    site("shop3/__init__.py", "def app(environ, start_response): ...\n")
    assert "no module 'dotted.application' (did you mean 'dotted:application'?)" in refused("dotted.application")
    assert "no module 'shop3.app' (did you mean 'shop3:app'?)" in refused("shop3.app")


def test_a_module_that_raises(site):
    path = site("broken.py", "def setting():\n    return {}['DATABASE']\n\nsetting()\n")
    text = refused("broken:app")
    assert text.startswith("cannot load 'broken:app': importing 'broken' failed: KeyError: 'DATABASE'\n")
    assert f'File "{path}", line 4, in <module>' in text
    assert f'File "{path}", line 2, in setting' in text
    assert "importlib" not in text
    assert "hybridd" not in text.replace(str(path.parent), "")


def test_a_module_that_cannot_import_another_is_not_a_missing_module(site):
    path = site("needs.py", "import no_such_driver\napp = print\n")
    text = refused("needs:app")
    assert "importing 'needs' failed: ModuleNotFoundError: No module named 'no_such_driver'" in text
    assert f'File "{path}", line 1, in <module>' in text


def test_a_package_that_misses_a_part_of_itself_is_not_a_missing_module(site):
    site("shop3/__init__.py", "import shop3.models")
    text = refused("shop3:app")
    assert "importing 'shop3' failed: ModuleNotFoundError: No module named 'shop3.models'" in text


def test_a_module_that_imports_itself_wrongly_is_not_a_missing_module(site):
    site("shop4/__init__.py", "")
    site("shop4/wsgi.py", "import shop4.wsgi.settings")
    assert "importing 'shop4.wsgi' failed: ModuleNotFoundError" in refused("shop4.wsgi:app")


def test_a_module_with_a_syntax_error(site):
    path = site("typo.py", "def app(:\n    pass\n")
    text = refused("typo:app")
    assert "importing 'typo' failed: SyntaxError: invalid syntax" in text
    assert f'File "{path}", line 1' in text
    assert "def app(:" in text


def test_a_module_that_exits(site):
    site("exits.py", "import sys\nsys.exit('no licence')")
    assert "importing 'exits' failed: SystemExit: no licence" in refused("exits:app")


def test_the_cause_of_a_failure_is_shown(site):
    site("chained.py", "try:\n    [].pop()\nexcept IndexError as e:\n    raise RuntimeError('wrapped') from e\n")
    text = refused("chained:app")
    assert "IndexError: pop from empty list" in text
    assert text.endswith("RuntimeError: wrapped")


def test_no_such_attribute(site):
    site("names.py", "def aplication(e, s): ...\n_private = 1\n")
    assert "module 'names' has no attribute 'application' (did you mean 'aplication'?)" in refused("names:application")


def test_no_such_attribute_but_a_usual_one(site):
    site("usual.py", "def create_app(): ...\n")
    assert "module 'usual' has no attribute 'zzz' (did you mean 'create_app'?)" in refused("usual:zzz")


def test_no_such_attribute_further_down(site):
    site("deep.py", "class Site:\n    wsgi = print\n")
    assert "'Site' has no attribute 'wsgl' (did you mean 'wsgi'?)" in refused("deep:Site.wsgl")


def test_neither_usual_name(site):
    site("neither.py", "serve = print")
    assert refused("neither") == (
        "cannot load 'neither': module 'neither' has neither 'application' nor 'app'; name what to serve: neither:NAME"
    )


def test_looking_up_an_attribute_may_fail_too(site):
    path = site("lazy.py", "def __getattr__(name):\n    import no_such_driver\n")
    text = refused("lazy:app")
    assert "looking up 'app' in module 'lazy' failed: ModuleNotFoundError" in text
    assert f'File "{path}", line 2' in text


@pytest.mark.parametrize(("value", "kind"), [("7", "an int"), ("None", "None"), ("'text'", "a str"), ("{}", "a dict")])
def test_not_callable(site, value, kind):
    site(f"value_{kind[-3:].strip()}.py", f"app = {value}")
    text = refused(f"value_{kind[-3:].strip()}:app")
    assert text.endswith(f"it is not callable but {kind}")


def test_a_module_instead_of_what_is_in_it(site):
    site("outer/__init__.py", "from outer import wsgi")
    site("outer/wsgi.py", "app = print")
    assert refused("outer:wsgi").endswith("it is not callable but a module; name what to serve in it: outer.wsgi:app")


def test_a_factory_that_raises(site):
    path = site("fails.py", "def make():\n    raise OSError('no database')\n")
    text = refused("fails:make()")
    assert text.startswith("cannot load 'fails:make()': the factory failed: OSError: no database\n")
    assert f'File "{path}", line 2, in make' in text


def test_a_factory_that_wants_arguments(site):
    site("wants.py", "def make(name): ...")
    assert "the factory failed: TypeError: make() missing 1 required positional argument: 'name'" in refused(
        "wants:make", factory=True
    )


def test_a_factory_that_makes_nothing(site):
    site("nothing.py", "def make(): ...")
    assert refused("nothing:make", factory=True).endswith("it is not callable but None")


def test_a_factory_that_is_not_callable(site):
    site("number.py", "make = 3")
    assert refused("number:make", factory=True).endswith("it is not callable but an int")
