PYTHON ?= python3
BIN := .venv/bin
QUIETLY := --quiet --disable-pip-version-check
PIP := $(BIN)/pip $(QUIETLY)
PYNGUIN := .venv-pynguin

.PHONY: install pynguin system demo factory test soak lint format bench studio faults clean

# The pins are the whole closure, so pip has nothing to resolve (it would take a newer release for an extra of a pinned
# package, and refuse it for want of a hash); what it would have resolved is checked afterwards.
.venv/installed: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --no-deps -r constraints.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	$(PIP) check
	touch $@

install: .venv/installed

# pynguin writes tests for the factory, if it is asked to. It needs older versions of what Millwright uses, hence a place
# of its own.
$(PYNGUIN)/installed: constraints-pynguin.txt
	$(PYTHON) -m venv $(PYNGUIN)
	$(PYNGUIN)/bin/pip $(QUIETLY) install --require-hashes --no-deps -r constraints-pynguin.txt
	$(PYNGUIN)/bin/pip $(QUIETLY) check
	touch $@

pynguin: $(PYNGUIN)/installed

# bubblewrap gives the strongest sandbox; without it Landlock is used where the kernel has it.
system:
	@command -v bwrap >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
		&& { apt-get update -qq && apt-get install -y -qq bubblewrap >/dev/null; }; } \
		|| echo "bubblewrap is not installed (apt-get install bubblewrap): tests that need it say so"

demo: install
	$(BIN)/millwright demo

factory: install
	$(BIN)/millwright factory demo

# A file of tests stays on one worker, so that a server it starts is started once.
test: install system
	$(BIN)/pytest -n 2 --dist loadfile -m "not soak"

soak: install system
	HYPOTHESIS_PROFILE=wide $(BIN)/pytest -n 2 -m soak --timeout 3600

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bench: install
	for file in benchmarks/*.py; do echo "== $$file"; PYTHONPATH=tests:. $(BIN)/python $$file || exit 1; done

studio: install
	LANGGRAPH_CLI_NO_ANALYTICS=1 $(BIN)/langgraph dev --n-jobs-per-worker 4

faults: install
	PYTHONPATH=tests:. $(BIN)/python tests/faults/figures.py

clean:
	rm -rf .venv $(PYNGUIN) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
