PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo setup setup-model setup-test clean

# Set up and run everything with the synthetic clinic.
demo:
	@PYTHON=$(PYTHON) appliance/setup/system_packages.sh run
	@$(PYTHON) -I appliance/setup/environments.py web model
	@exec $(BIN)/python manage.py demo

# The application's environment and the system packages it runs on.
setup:
	@PYTHON=$(PYTHON) appliance/setup/system_packages.sh run
	@$(PYTHON) -I appliance/setup/environments.py web

# The model server's environment, apart from the application's.
setup-model: setup
	@$(PYTHON) -I appliance/setup/environments.py model

# What the tests need besides: a browser, fonts, PostgreSQL.
setup-test: setup
	@PYTHON=$(PYTHON) appliance/setup/system_packages.sh test

# Removes both environments and all run-time data: records, keys, models, downloads.
clean:
	rm -rf .venv .venv-vllm var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: test test-postgres test-model test-browser check lint bench

# The fast stage of the tests, on SQLite. The other stages are part of `make check`.
test: setup-test
	$(BIN)/pytest -q

# The same suite on PostgreSQL, in a cluster made for the run.
test-postgres: setup-test
	tests/with_postgres.sh $(BIN)/pytest -q

# Real vLLM serving the real demo model.
test-model: setup setup-model
	$(BIN)/python manage.py demo --prepare-only
	$(BIN)/pytest -q -m vllm

# Real Chromium.
test-browser: setup-test
	$(BIN)/pytest -q -m browser

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m tests.file_lengths
	$(BIN)/mypy .

check: lint test-postgres test-model test-browser test

# The figures: a table, and as JSON in var/bench.json.
bench: setup setup-model
	$(BIN)/python manage.py demo --prepare-only
	$(BIN)/python manage.py bench
