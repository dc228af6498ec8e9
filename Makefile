# Every target does its own set-up: what runs the program needs .venv, and .venv knows how to make itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
GENERATED := tests/cadence/test_invariants.py tests/cadence/test_local_time.py tests/test_agreement.py
WORKERS ?= 4  # tests wait for processes more than they compute

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-postgres check catalogs wheel bench bench-recall faults format clean browser strace

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/' | expand -t 10

setup: $(READY)  ## make .venv with the exact versions of the lock files

$(RUNS): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "commsengine needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) (once)…" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-deps -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(READY): $(RUNS) requirements-dev.lock
	@echo "Adding what tests and checks need (once)…" >&2
	@$(PIP) install --no-deps -r requirements-dev.lock
	@touch $@

demo: $(RUNS)  ## rehearse the shipped campaign in a sandbox and tell its story (SERVE=1 stays up)
	@$(BIN)/commsengine demo $(if $(SERVE),--serve)

test: $(READY) browser strace  ## run the whole suite
	@# the program is started hundreds of times: compiled once, each start is quicker
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q -m "not slow"

test-postgres: $(READY) browser strace  ## run the whole suite on PostgreSQL, except what is about SQLite files
	REQUIRE_POSTGRES=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q -m "not slow" \
	  --database postgresql

check: $(READY)  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)  ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

catalogs: $(READY)  ## bring the lists of texts in commsengine/locale up to date with the code
	$(BIN)/python -m tests.catalogs

wheel: $(READY)  ## build the wheel: one file to install elsewhere
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

bench: $(READY)  ## measure: see benchmarks/README.md
	@for bench in benchmarks/[a-z]*.py; do echo "== $$bench" >&2; $(BIN)/python -m $$(echo $${bench%.py} | tr / .) || exit 1; done

bench-recall: $(READY)  ## the memory model on tables, a review log and in simulation: see benchmarks/recall/README.md
	@$(PIP) install --no-deps -r requirements-bench.lock
	@$(BIN)/python -m benchmarks.recall $(PART)

faults: $(READY) strace  ## break it on purpose, for hours: see benchmarks/faults/README.md
	@failed=; for run in kills "kills --resolver" slack-kills syscalls "syscalls --resolver" pauses restores lines; do \
	  echo "== $$run" >&2; $(BIN)/python -m benchmarks.faults $$run || failed=1; done; \
	$(BIN)/python -m pytest -q --hypothesis-profile=deep $(GENERATED) || failed=1; \
	$(BIN)/python -m pytest -q -m slow || failed=1; test -z "$$failed"

# Browser tests drive the system's chromium. Where it can be installed without asking, it is; else they are skipped and say why.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null 2>&1 && exit 0; done; \
	command -v apt-get >/dev/null 2>&1 || exit 0; \
	if [ "$$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else exit 0; fi; \
	echo "Installing chromium for the browser tests (once)…" >&2; \
	{ $$as_root apt-get update && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y --no-install-recommends chromium; } \
	  >/dev/null 2>&1 || echo "chromium could not be installed; the browser tests will be skipped" >&2

# Some tests kill the program at a named system call; the same holds for strace.
strace:
	@command -v strace >/dev/null 2>&1 && exit 0; \
	command -v apt-get >/dev/null 2>&1 || exit 0; \
	if [ "$$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else exit 0; fi; \
	echo "Installing strace for the fault tests (once)…" >&2; \
	{ $$as_root apt-get update && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y --no-install-recommends strace; } \
	  >/dev/null 2>&1 || echo "strace could not be installed; the test that needs it will be skipped" >&2

clean:  ## remove what was built (not the virtual environment)
	rm -rf build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
