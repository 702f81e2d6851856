# `make` alone lists what there is.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
USABLE := $(VENV)/.usable
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt

.PHONY: help demo test test-slow check fix cli-page bench clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# --no-compile: Python compiles what is imported, which is a small part of all that is installed. It
# must then be let keep that: where it may not, every command compiles torch again, for ten seconds.
unexport PYTHONDONTWRITEBYTECODE
$(USABLE): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	@touch $@

$(READY): $(USABLE)
	$(INSTALL) -e '.[dev]'
	@touch $@

demo: $(USABLE) ## the whole journey on the packaged sample, offline
	$(BIN)/maeum demo --to demo

test: $(READY) ## the tests, but for those of test-slow
	$(BIN)/python -m pytest

test-slow: $(READY) ## the tests that `make test` leaves out: much like others, or minutes long
	$(BIN)/python -m pytest -m slow

check: $(READY) ## format, lint, types, import contracts: what CI asks besides the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(READY) ## format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

cli-page: $(READY) ## docs/cli.md from the commands' own help
	$(BIN)/python tools/make_cli_page.py

bench: $(READY) ## all benchmarks, two and a half hours; some: make bench ONLY="limits answers"
	$(INSTALL) -e '.[dev,bench]'
	$(BIN)/python benchmarks $(ONLY)

clean: ## remove the environment and what the demo made
	rm -rf $(VENV) demo
