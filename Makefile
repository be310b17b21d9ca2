# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# a lock file names everything: without --no-deps pip would look for newer releases of extras it does not pin
LOCKED := install --no-deps --require-hashes -r

# byte code is kept: the tests start some hundred processes, and each would compile everything again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lab lint system bench bench-serve soak lock clean help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.lab: requirements/lab.txt pyproject.toml | $(BIN)/python
	@echo "installing the workbench into $(VENV) ..."
	$(PIP) $(LOCKED) requirements/lab.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.lab
	@echo "installing the test tools into $(VENV) ..."
	$(PIP) $(LOCKED) requirements/dev.txt
	@touch $@

demo: $(VENV)/.lab  ## the main job on an embedded mail server, ends with a report to open
	$(BIN)/mailml demo

lab: $(VENV)/.lab  ## open the workbench in JupyterLab
	$(BIN)/jupyter lab notebooks

system:
	@bash tests/install-system-packages.sh

lint: $(VENV)/.dev  ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config tests/importlinter.ini

test:  ## everything: lint, tests with real servers, notebooks, browser, coverage
	@$(MAKE) --no-print-directory -j2 $(VENV)/.dev system
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations=25 --cov --cov-report=term

soak: $(VENV)/.dev  ## the service killed at every system call, cut at every byte, its disk failing; hours
	@bash tests/install-system-packages.sh
	$(BIN)/python -m tests.soak

bench-serve: $(VENV)/.dev  ## mail through Postfix, Dovecot and the service: throughput, latency, CPU, idle cost
	@bash tests/install-system-packages.sh rspamd
	$(BIN)/python -m tests.bench.serve 10000 50

bench: $(VENV)/.dev  ## every benchmark, one table of ratios
	@bash tests/install-system-packages.sh
	$(BIN)/python -m tests.bench

lock:  ## resolve the lock files again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra lab --extra demo --extra build -c requirements/dev.txt pyproject.toml -o requirements/lab.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/dev.txt pyproject.toml -o requirements/base.txt

clean:  ## remove the environment and everything made by the demo and the tests
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage .coverage.* build dist demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
