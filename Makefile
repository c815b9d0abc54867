# Every target works in a fresh clone and makes what it needs first, in .venv; a second
# run installs nothing again unless setup.cfg has changed. Needs python3 (3.11 or newer).
#
#   make run                    set up and start the servers with demo data in var/demo
#   make suite                  the same, each server in a process of its own, in var/suite
#   make test                   set up and run every test
#   make test TESTS=tests.sip   only these (modules, classes or methods)
#   make lint                   ruff and mypy
#   make format                 let ruff lay out the code
#   make docs                   the documentation, in docs/_build/html
#   make bench                  every benchmark; BENCH=parsing for one
#   make fuzz                   the long form of tests.fuzz
#   make clean                  remove .venv and all that was built

BIN = .venv/bin
TESTS = tests
BENCH = $(patsubst benchmarks/%.py,%,$(wildcard benchmarks/[a-z]*.py))
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run suite test lint format docs bench fuzz clean

help:
	@sed -n 's/^#   //p' Makefile

run: .venv/.ready
	@[ -d web ] || echo "Skipping the web pages: there is no web/ yet."
	@$(BIN)/python tools/demo.py
	@exec $(BIN)/twistd --nodaemon --pidfile= sipsorcery --config var/demo/sipsorcery.toml

suite: .venv/.ready
	@exec $(BIN)/python -m tools.suite

test: .venv/.ready-dev
	@tools/install-peers
	@$(BIN)/python -m tests $(TESTS)

lint: .venv/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.ready-dev
	$(BIN)/python -m sphinx -q --no-color -W --keep-going docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

bench: .venv/.ready-bench
	@for name in $(BENCH); do $(BIN)/python -m benchmarks.$$name || exit 1; done

fuzz: .venv/.ready-dev
	@SIPSORCERY_LONG=1 $(BIN)/python -m tests tests.fuzz

clean:
	rm -rf .venv build dist docs/_build _trial_temp* .mypy_cache .ruff_cache .hypothesis
	rm -rf *.egg-info twisted/plugins/dropin.cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is the last thing that a new virtual environment gets.
.venv/bin/pip:
	@tools/make-venv .venv

.venv/.ready: .venv/bin/pip setup.cfg pyproject.toml
	@echo "Installing sipsorcery in .venv ..."
	@$(PIP) install --editable .
	@touch $@

.venv/.ready-%: .venv/bin/pip setup.cfg pyproject.toml
	@echo "Installing sipsorcery and its '$*' tools in .venv ..."
	@$(PIP) install --editable '.[$*]'
	@touch $@
