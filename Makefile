# A newcomer needs `make run` and `make test`; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest # what is compiled once is read by all
SOURCES := .ci/audit.py .ci/install.py .ci/pack_passwords.py api clients commands config db embedded server service telemetry transport tests bench demo migrations $(wildcard *.py)

.DEFAULT_GOAL := help
.PHONY: help install run create-admin demo jwt-demo screenshots test test-all check lint type-check test-coverage bench format lock audit clean docker-dev docker-prod docker-status docker-logs docker-down docker-test docker-shell docker-db-shell
COMPOSE := docker compose

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed $(VENV)/.installed-dev ## set up the virtual environment for development

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "trawl needs Python 3.11 or newer: apt install python3, or set PYTHON=/path/to/one"; exit 1; }
	@message=$$($(PYTHON) -m venv $(VENV) 2>&1) || { rm -rf $(VENV); case "$$message" in \
		*ensurepip*|*"No module named"*) echo "trawl needs the venv module: apt install python3-venv";; \
		*) echo "trawl can't set up $(VENV): $$(echo "$$message" | tail -n 1)";; esac; exit 1; }

$(VENV)/.installed: requirements.lock | $(BIN)/python
	@echo "installing dependencies, once; this takes a minute or two"
	@$(BIN)/python .ci/install.py requirements.lock
	@$(BIN)/python -m compileall -q api clients commands config db embedded server service telemetry transport $(wildcard *.py)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "installing development tools (once)"
	@$(BIN)/python .ci/install.py requirements-dev.lock
	@touch $@

run: $(VENV)/.installed ## set everything up and serve on HOST:PORT (127.0.0.1:8000)
	@exec $(BIN)/python main.py

create-admin: $(VENV)/.installed ## make an admin: LOGIN=root make create-admin
	@[ -n "$(LOGIN)" ] || { echo "say who: make create-admin LOGIN=root"; exit 2; }
	@exec $(BIN)/python main.py create-admin "$(LOGIN)"

demo: $(VENV)/.installed ## run with an invented shop and its films, and an account that it tells; its data are in var/demo
	@exec $(BIN)/python -m demo

jwt-demo: $(VENV)/.installed ## show what a token is and does, on a server of its own that leaves nothing behind
	@exec $(BIN)/python -m demo.jwt

screenshots: install ## take pictures of the dashboard for docs/screenshots; needs Chromium
	@$(BIN)/python -m demo.screenshots

test: install ## set everything up and run the tests of each day; EVERY=1 adds the slow ones
	@$(PYTEST) $(if $(EVERY),,-m "not slow")

test-all: ## set everything up and run all tests, as CI does
	@$(MAKE) --no-print-directory test EVERY=1

check: lint type-check ## check format, lint, types, import contracts and all tests, as CI does
	$(MAKE) --no-print-directory test EVERY=1

lint: install ## check format, lint and import contracts
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/lint-imports --no-cache

type-check: install ## check types
	$(BIN)/mypy $(SOURCES)

test-coverage: install ## run all tests with coverage of lines and branches, which must be 90 %; half as long again
	@rm -f .coverage .coverage.*
	$(MAKE) --no-print-directory test-all PYTEST_ADDOPTS="--cov --cov-report="
	$(BIN)/coverage report

bench: install ## run the benchmarks, each beside its reference
	@$(BIN)/python -m bench

format: install ## format and fix what can be fixed
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lock: $(VENV)/.installed-dev ## update the lock files from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml --group dev -o requirements-dev.lock

audit: install ## known vulnerabilities of the locked packages; says so where no source of advisories can be reached
	@$(BIN)/python .ci/audit.py

clean: ## remove the virtual environment and caches; keep ./var, which holds the data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

docker-dev: ## run containers in the foreground, with readable logs and no rate limits
	$(COMPOSE) -f compose.yaml -f compose.dev.yaml up --build

docker-prod: ## run containers in the background, and wait until they are healthy
	$(COMPOSE) up --build --detach --wait

docker-status: ## list the containers and their state
	$(COMPOSE) ps

docker-logs: ## follow the logs of the containers
	$(COMPOSE) logs --follow --tail=100

docker-down: ## stop the containers; keep their data
	$(COMPOSE) down

docker-test: ## run all tests in a container
	docker build --target test --tag trawl-test .
	docker run --rm --shm-size=512m trawl-test

docker-shell: ## open a shell in the server's container
	$(COMPOSE) exec trawl sh

docker-db-shell: ## open psql on the containers' database
	$(COMPOSE) exec postgres psql --username=trawl trawl
