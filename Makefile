# gameday: chaos and load drills for Kubernetes. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)

MANNER ?= hardened
CONTEXT ?= us-east-1

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# --- setting up: everything from the lock files, hashes checked ---------------------------------------------------

.tools/uv/bin/uv:
	@[ -n "$(PYTHON)" ] || { echo "gameday: no Python 3.11 or newer on PATH; install one" >&2; exit 2; }
	@echo "installing uv into .tools/uv"
	@$(PYTHON) -m venv .tools/uv || { echo "gameday: python3 -m venv failed; on Debian: apt install python3-venv" >&2; exit 2; }
	@.tools/uv/bin/pip install --quiet --disable-pip-version-check uv

$(BIN)/python: | $(UV)
	@[ -n "$(PYTHON)" ] || { echo "gameday: no Python 3.11 or newer on PATH; install one" >&2; exit 2; }
	@$(UV) venv --quiet --python "$(PYTHON)" $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing the locked packages into $(VENV)"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	@echo "installing the locked development packages into $(VENV)"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: setup
setup: $(VENV)/.ready ## install everything that a drill needs into .venv

.PHONY: lock
lock: | $(UV) ## resolve the dependencies anew into requirements.lock and requirements-dev.lock
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --extra build pyproject.toml -o requirements.lock
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

# --- drills -------------------------------------------------------------------------------------------------------

DRILL := $(BIN)/gameday sandbox exec --manner $(MANNER) -- $(BIN)/gameday run

.PHONY: demo
demo: $(VENV)/.ready ## run the pod-kill drill on a sandbox and show its verdict [MANNER=hardened|naive]
	@$(DRILL) experiments/pod-kill.yaml --load loadprofiles/steady.py --context $(CONTEXT)

# --- development --------------------------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.ready-dev ## run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not drills"
	@$(BIN)/python -m pytest -m e2e

.PHONY: test-matrix
test-matrix: $(VENV)/.ready-dev ## run the unit tests on each of Python 3.11, 3.12 and 3.13 that is installed
	@tests/matrix.sh $(UV)

.PHONY: e2e
e2e: $(VENV)/.ready-dev ## run the tests that start a whole sandbox, alone
	@$(BIN)/python -m pytest -m e2e

.PHONY: test-drills
test-drills: $(VENV)/.ready-dev ## run every drill five times in both manners (about eight minutes)
	@$(BIN)/python -m pytest -m drills

.PHONY: lint
lint: $(VENV)/.ready-dev ## check style and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

.PHONY: fmt
fmt: $(VENV)/.ready-dev ## bring the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: clean
clean: ## remove what make and the tests have left; runs/ is kept
	@[ ! -x $(BIN)/gameday ] || $(BIN)/gameday sandbox down
	@rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/out dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
