PYTHON ?= python3.11
BIN := .venv/bin
# Each file of tests in one process, as many processes as cores.
PARALLEL ?= -n auto --dist loadfile

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

.PHONY: test test-postgres test-model test-browser test-faults test-fuzz check lint bench

# The fast stage of the tests, on SQLite. The other stages are part of `make check`.
test: setup-test
	$(BIN)/pytest -q $(PARALLEL)

# The same suite on PostgreSQL, in a cluster made for the run.
test-postgres: setup-test
	tests/with_postgres.sh $(BIN)/pytest -q $(PARALLEL)

# Real vLLM serving the real demo model.
test-model: setup setup-model
	$(BIN)/python manage.py demo --prepare-only
	$(BIN)/pytest -q -m vllm

# Real Chromium.
test-browser: setup-test
	$(BIN)/pytest -q -m browser

# Every process killed for minutes, amid messages at four doors.
test-faults: setup-test
	$(BIN)/pytest -q -s -m faults tests/faults/test_storm.py

# A hundred thousand mutated inputs over all doors.
test-fuzz: setup-test
	$(BIN)/pytest -q -s -m fuzz

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m tests.file_lengths
	$(BIN)/mypy .

# The model first: what it prepares is tried by the other stages too.
check: lint test-model test-postgres test-browser test

# The figures: a table, and as JSON in var/bench.json.
bench: setup setup-model
	$(BIN)/python manage.py demo --prepare-only
	$(BIN)/python manage.py bench

.PHONY: bundle

# The offline medium: KEYS is the folder of the signers' keys (`manage.py bundle keys`), OUT an empty folder.
bundle: setup setup-model
	$(BIN)/python manage.py demo --prepare-only
	$(BIN)/python manage.py bundle build --keys $(or $(KEYS),$(error name the folder of the keys: make bundle KEYS=...)) \
	    --out $(or $(OUT),var/medium) $(BUNDLE_ARGS)

.PHONY: clinic-test

# The installation, tried for real in a container that boots systemd; needs root. Prints a table with times.
clinic-test: setup
	@tests/clinic/setup.sh
	$(BIN)/python manage.py demo --prepare-only
	$(BIN)/python -m tests.clinic
