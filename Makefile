# make run and make test are all a newcomer needs; make help shows the rest.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
PARSER := tests/contracts/asyncapi

.DEFAULT_GOAL := help
.PHONY: help setup run test check lock format clean

help: ## what can be done
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv with everything locked, and what mongod needs from the system

$(STAMP): requirements.lock pyproject.toml $(PARSER)/package-lock.json
	@echo "Setting up .venv (a few minutes the first time)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m services.engines.system
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(PARSER)
	@touch $(STAMP)

run: setup ## engines, services, and the 899 people of JOBS II; stays up until Ctrl-C
	@$(BIN)/ama pilot jobs2

test: setup ## everything, against real engines
	@$(BIN)/python -m pytest $(ARGS)

check: setup ## format, lint, types, import fences, contracts, AsyncAPI
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }
	@$(BIN)/ama contracts check
	@rm -rf .asyncapi && $(BIN)/ama contracts export .asyncapi > /dev/null
	@$(BIN)/node $(PARSER)/validate.mjs .asyncapi/asyncapi/*.json
	@echo "make check: all is well"

format: setup ## format and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## resolve the dependencies anew (hashes, no addresses)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --all-extras --build-isolation pyproject.toml requirements.in -o requirements.lock
	@cd $(PARSER) && PATH="$(CURDIR)/$(BIN):$$PATH" npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## remove what was made here (not .ama)
	@rm -rf .venv .asyncapi .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info $(PARSER)/node_modules
