.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

help:  ## this text
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "engine needs Python 3.11 or newer; say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) ..."
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(READY)  ## a private virtual environment with everything in it

demo: $(READY)  ## validate, plan and apply against the embedded lab
	@docs/demo.sh

pictures: $(READY)  ## draw docs/images anew, where Chromium is installed
	@docs/pictures.sh

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint  ## lint, then every test
	$(BIN)/python -m pytest -n 3 --dist loadscope -m 'not slow'

PURE := planning retention verifying plans identity auditing
coverage: $(READY)  ## branch coverage of the pure core: all of it
	$(BIN)/python -m pytest -n 2 -q -m 'not slow' $(addprefix tests/,$(PURE)) \
	  $(addprefix --cov=engine.,$(PURE)) --cov-branch --cov-fail-under=100 \
	  --cov-report=term-missing:skip-covered

WORLDS ?= 1000
SEED ?= 1
chaos: $(READY)  ## the long tests: random worlds, faults, kills, simulated weeks
	$(BIN)/python -m tests.chaos -worlds $(WORLDS) -seed $(SEED)
	HYPOTHESIS_PROFILE=chaos $(BIN)/python -m pytest -n 2 --dist loadscope -m slow

mutants: $(READY)  ## break each protection, one at a time, and see that a test notices
	$(BIN)/python -m tests.mutations

bench: $(READY)  ## speed and memory, printed
	$(BIN)/python -m tests.benchmarks

clean:  ## remove what the other targets made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

.PHONY: help setup demo pictures lint test coverage chaos mutants bench clean
