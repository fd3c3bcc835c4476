PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo setup setup-model clean

# Set up and run everything with the synthetic clinic.
demo: setup setup-model
	@exec $(BIN)/python manage.py demo

# The application's environment and the system packages it runs on.
setup:
	@PYTHON=$(PYTHON) appliance/setup/system_packages.sh run
	@$(PYTHON) -I appliance/setup/environments.py web

# The model server's environment, apart from the application's.
setup-model: setup
	@$(PYTHON) -I appliance/setup/environments.py model

# Removes both environments and all run-time data: records, keys, models, downloads.
clean:
	rm -rf .venv .venv-vllm var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
