# `make run` tries Parley out, `make test` is what every change has to pass. `make` alone lists the rest.

.DEFAULT_GOAL := help
.PHONY: help run install test fuzz audit format bench lock clean

# Compiled modules are kept, whatever the environment says: the tests start many processes.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock' --upgrade
OLD_PYTHON := Parley needs Python 3.11 or newer. On Debian and Ubuntu: apt install python3 python3-venv
FUZZ ?= 2000
# The tests wait much of their time, for processes that start and for servers: two workers for each core.
WORKERS ?= $(shell $(BIN)/python -c 'import os; print(2 * (os.cpu_count() or 1))')
NO_VENV := This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv
NO_LOCAL := The runtime for models on this machine was not installed: everything else works, set a key or start Ollama.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$python && break; done)

help:
	@echo "make run      install what is missing, then start Parley"
	@echo "make install  install what is missing into $(VENV)"
	@echo "make test     format check, lint, types, import contracts, tests"
	@echo "make fuzz     try FUZZ=$(FUZZ) random inputs with each property of tests/fuzz"
	@echo "make audit    ask whether a locked package has a known hole (needs the network)"
	@echo "make format   put the source into its form"
	@echo "make bench    measure live replies against other policies"
	@echo "make lock     take the newest versions that pyproject.toml allows"
	@echo "make clean    take away $(VENV) and all caches"

run: install
	@exec $(BIN)/parley

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml requirements.txt requirements-local.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		test -n "$(PYTHON)" || { echo "$(OLD_PYTHON)" >&2; exit 1; }; \
		$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(NO_VENV)" >&2; exit 1; }; \
		echo "== Making $(VENV) with $(PYTHON)"; \
		$(PYTHON) -m venv --clear $(VENV); }
	@echo "== Installing what Parley needs into $(VENV), about 30 MB"
	@$(PIP) install --require-hashes -r requirements.txt
	@echo "== Installing the runtime for models on this machine, 34 MB"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-local.txt || echo "$(NO_LOCAL)"
	@echo "== Installing Parley"
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.developed: $(VENV)/.installed requirements-dev.txt
	@echo "== Installing the tools of development"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

test: $(VENV)/.developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q -n $(WORKERS) --maxschedchunk 4 $(PYTEST)

fuzz: $(VENV)/.developed
	FUZZ=$(FUZZ) nice $(BIN)/pytest -q -p no:cacheprovider --timeout=0 --no-header tests/fuzz tests/bot/replies/test_pings.py \
		tests/bot/markdown/test_split.py tests/bot/markdown/test_heal.py $(PYTEST)

audit: $(VENV)/.audit
	@for file in requirements.txt requirements-local.txt requirements-dev.txt; do \
		echo "== $$file"; $(VENV)/.audit/bin/pip-audit --strict --progress-spinner off --require-hashes --disable-pip --requirement $$file || exit 1; done

$(VENV)/.audit: $(VENV)/.installed
	@$(BIN)/python -m venv --clear $@
	@$@/bin/python -m pip --disable-pip-version-check install --quiet 'pip-audit>=2.9,<3'

format: $(VENV)/.developed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks.live_reply

lock: $(VENV)/.installed
	@$(PIP) install --quiet uv
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["local"])' \
		| $(LOCK) - --output-file requirements-local.txt
	$(LOCK) --group dev --constraints requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
