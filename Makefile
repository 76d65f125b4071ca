# hybridd: everything a developer types.  `make help` lists it.
#
# What a target needs is installed on first use into a virtual environment beside this file; the stamp
# files in it make the second time quick.  The system's Python is only asked to make that environment
# (so PEP 668, "externally managed", does not matter).

PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?= -q

# One environment per interpreter: `make test PYTHON=python3.12` leaves .venv alone.
VENV ?= .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
VERSIONS := 3.11 3.12 3.13
PYENV_ROOT ?= $(HOME)/.pyenv

# Nobody but root can read a checkout below /root, and hybridd wants to be told when root is meant: here it is, for a look.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--user root)

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SYSTEM_TESTS := $(wildcard tests/systemd tests/container tests/hosts tests/proxies tests/attacks tests/kubernetes tests/prometheus tests/browser)

# Where `make install` puts things, as the GNU coding standards name it; DESTDIR stands before all of them.
prefix ?= /usr/local
bindir ?= $(prefix)/bin
pkglibdir ?= $(prefix)/lib/hybridd
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
sysconfdir ?= /etc
unitdir ?= $(prefix)/lib/systemd/system
bashdir ?= $(datadir)/bash-completion/completions
zshdir ?= $(datadir)/zsh/site-functions
fishdir ?= $(datadir)/fish/vendor_completions.d
sysusersdir ?= $(prefix)/lib/sysusers.d
# Not in force by itself: as long as the unit has DynamicUser=yes, logrotate may not enter its log directory and would fail.
logrotatedir ?= $(datadir)/hybridd/logrotate
UNITS := hybridd.service hybridd@.service hybridd.socket

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install install-program install-files uninstall test test-unit test-all test-system pythons lint \
    fuzz format docs bench clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  PYTHON=python3.12   another interpreter (3.11 or later), in an environment of its own"
	@echo "  ARGS='-w 2'         further arguments of hybridd run;  PYTEST_ARGS='-k drain' of pytest"

run: $(VENV)/.installed  ## serve the built-in welcome application on 0.0.0.0:8080
	@exec $(BIN)/hybridd run -c config/hybridd.yaml $(AS_ROOT) $(ARGS)

test: $(VENV)/.installed-test  ## the test suite: unit tests, then real processes
	@$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS) tests/unit
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not alone" $(PYTEST_ARGS) tests/integration
	@$(BIN)/python -m pytest -m alone $(PYTEST_ARGS) tests/integration

test-unit: $(VENV)/.installed-test  ## only the unit tests (seconds)
	@$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS) tests/unit

test-all:  ## the test suite with every supported Python of this machine
	@for python in $$($(MAKE) -s pythons); do \
	    echo "== $$python"; \
	    $(MAKE) --no-print-directory test PYTHON="$$python" || exit 1; \
	done

pythons:  ## the supported Pythons of this machine, one a line (the PATH, then pyenv)
	@for version in $(VERSIONS); do \
	    for python in python$$version $(PYENV_ROOT)/versions/$$version.*/bin/python$$version; do \
	        "$$python" -c 'import ensurepip, venv' 2>/dev/null && { echo "$$python"; break; }; \
	    done; \
	done; true

test-system: $(VENV)/.installed-system  ## real systemd, containers, proxies, attack tools (fails where one is missing)
	@status=0; for folder in $(SYSTEM_TESTS); do \
	    case $$folder in tests/systemd*) beside="-n 2" ;; *) beside= ;; esac; \
	    $(BIN)/python -m pytest $$beside $(PYTEST_ARGS) $$folder || status=1; \
	done; exit $$status

fuzz: $(VENV)/.installed-test  ## look for bytes that the protocols misread, for 10 minutes (ARGS='--seconds 60 --seed 1')
	@$(BIN)/python -m tests.support.fuzz $(ARGS)

lint: $(VENV)/.installed-lint  ## style, formatting, types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(VENV)/.installed-lint  ## let the formatter have its way
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

docs: $(VENV)/.installed-test  ## write the pages that are made from the source
	@$(BIN)/python -m hybridd.config.reference > docs/settings.md
	@$(BIN)/python -m hybridd.config.json_schema > config/schema.json
	@$(BIN)/python -m hybridd.worker.metrics_reference > docs/metrics.md
	@$(BIN)/python -m tests.support.pages
	@$(BIN)/python -m hybridd.cli.manual man
	@$(BIN)/python -m hybridd.cli.completion completion

bench:  ## hybridd and its peers side by side; renews benchmarks/RESULTS.md (ARGS='--scenario a --rounds 3' for a look)
	@$(PYTHON) benchmarks/run $(ARGS)

install: install-program install-files  ## the program, units, manual, completion (prefix=/usr/local DESTDIR= sysconfdir=/etc)

# A virtual environment of its own: the system's Python stays as it is.  Installed again, it is renewed in place; then
# `hybridd upgrade` has a running service take it without losing a request.
install-program:
	test -x "$(DESTDIR)$(pkglibdir)/bin/python" || $(PYTHON) -m venv "$(DESTDIR)$(pkglibdir)"
	"$(DESTDIR)$(pkglibdir)/bin/python" -m pip install --disable-pip-version-check --quiet --no-compile --upgrade .
	grep -rlIF '$(DESTDIR)$(pkglibdir)' "$(DESTDIR)$(pkglibdir)/bin" "$(DESTDIR)$(pkglibdir)/pyvenv.cfg" | \
	    xargs -r sed -i 's|$(DESTDIR)$(pkglibdir)|$(pkglibdir)|g'
	"$(DESTDIR)$(pkglibdir)/bin/python" -m compileall -q $(if $(DESTDIR),-s "$(DESTDIR)") "$(DESTDIR)$(pkglibdir)/lib"
	install -d "$(DESTDIR)$(bindir)"
	ln -sfn "$(pkglibdir)/bin/hybridd" "$(DESTDIR)$(bindir)/hybridd"

# All but the program: for packages that install that in their own way.
install-files:
	install -d "$(DESTDIR)$(unitdir)"
	for unit in $(UNITS); do \
	    sed 's|/opt/hybridd/bin/|$(bindir)/|' "systemd/$$unit" > "$(DESTDIR)$(unitdir)/$$unit" || exit 1; \
	    chmod 644 "$(DESTDIR)$(unitdir)/$$unit"; \
	done
	install -D -m 644 deploy/sysusers.d/hybridd.conf "$(DESTDIR)$(sysusersdir)/hybridd.conf"
	install -D -m 644 deploy/logrotate/hybridd "$(DESTDIR)$(logrotatedir)/hybridd"
	install -D -m 644 man/hybridd.8 "$(DESTDIR)$(mandir)/man8/hybridd.8"
	install -D -m 644 man/hybridd.yaml.5 "$(DESTDIR)$(mandir)/man5/hybridd.yaml.5"
	install -D -m 644 completion/hybridd.bash "$(DESTDIR)$(bashdir)/hybridd"
	install -D -m 644 completion/_hybridd "$(DESTDIR)$(zshdir)/_hybridd"
	install -D -m 644 completion/hybridd.fish "$(DESTDIR)$(fishdir)/hybridd.fish"
	test -e "$(DESTDIR)$(sysconfdir)/hybridd/hybridd.yaml" || \
	    install -D -m 644 config/hybridd.yaml "$(DESTDIR)$(sysconfdir)/hybridd/hybridd.yaml"

uninstall:  ## remove what install has put there; a configuration that was changed stays
	rm -rf "$(DESTDIR)$(pkglibdir)"
	rm -f "$(DESTDIR)$(bindir)/hybridd" $(UNITS:%="$(DESTDIR)$(unitdir)/%") "$(DESTDIR)$(sysusersdir)/hybridd.conf" \
	    "$(DESTDIR)$(logrotatedir)/hybridd" "$(DESTDIR)$(mandir)/man8/hybridd.8" \
	    "$(DESTDIR)$(mandir)/man5/hybridd.yaml.5" "$(DESTDIR)$(bashdir)/hybridd" "$(DESTDIR)$(zshdir)/_hybridd" \
	    "$(DESTDIR)$(fishdir)/hybridd.fish"
	! cmp -s config/hybridd.yaml "$(DESTDIR)$(sysconfdir)/hybridd/hybridd.yaml" || \
	    rm "$(DESTDIR)$(sysconfdir)/hybridd/hybridd.yaml"
	rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(sysconfdir)/hybridd" "$(DESTDIR)$(logrotatedir)" \
	    "$(DESTDIR)$(datadir)/hybridd" 2>/dev/null || true

clean:  ## remove environments, caches and build products
	rm -rf .venv .venv-* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	find hybridd tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; hybridd needs Python 3.11 or later" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1); hybridd needs 3.11 or later (make PYTHON=python3.12 ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: $(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.created pyproject.toml
	$(PIP) install --editable '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-system: $(VENV)/.created pyproject.toml
	$(PIP) install --editable '.[test,system]'
	@touch $@ $(VENV)/.installed-test $(VENV)/.installed

$(VENV)/.installed-lint: $(VENV)/.created pyproject.toml
	$(PIP) install --editable '.[test,lint]'
	@touch $@ $(VENV)/.installed-test $(VENV)/.installed
