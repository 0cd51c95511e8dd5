# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
# Each sets itself up in .venv from the locked, hashed requirements; nothing else on the machine is touched,
# but for Chromium, which `make test` installs with apt where it may.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARCH   ?= arm64
SAM    := SAM_CLI_TELEMETRY=0 $(VENV)/sam/bin/sam
.DEFAULT_GOAL := help
# Workers, compilers and commands are processes of their own: none should have to compile Python's sources anew.
unexport PYTHONDONTWRITEBYTECODE
.DELETE_ON_ERROR:
.PHONY: help demo demo-check serve test lint format lock clean build validate sam-local sam-local-check

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(VENV)/demo.stamp ## Build the examples, start the platform, publish, install, call, and stay up
	@$(BIN)/oriel demo

demo-check: $(VENV)/demo.stamp ## The same on free ports with data of its own, then stop: exit 0 or 1
	@$(BIN)/oriel demo --check

serve: $(VENV)/demo.stamp ## Start the platform on http://127.0.0.1:8420
	@$(BIN)/oriel serve

test: $(VENV)/dev.stamp $(VENV)/sam.stamp ## Every test
	@$(BIN)/python tools/ensure_chromium.py
	@$(BIN)/pytest -n 3 --dist loadscope -q $(ARGS)

lint: $(VENV)/dev.stamp ## Ruff, strict types of Python and JavaScript, import rules, guards
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/web_types.py --check
	@$(BIN)/python tools/guards.py

format: $(VENV)/dev.stamp ## Mend what ruff can
	@$(BIN)/ruff check --fix-only -q . ; $(BIN)/ruff format -q .

lock: $(VENV)/bootstrap.stamp ## Write the locks anew from pyproject.toml
	@tools/lock

clean: ## Remove what the targets made here
	@rm -rf $(VENV) .oriel .artefacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

build: $(VENV)/sam.stamp ## Build the Lambda functions and the layer: make build [ARCH=x86_64]
	@ORIEL_ARCH=$(ARCH) $(SAM) build --parameter-overrides Architecture=$(ARCH)

validate: $(VENV)/sam.stamp ## Check the template as SAM and CloudFormation see it
	@$(BIN)/python tools/edge_template.py --check
	@AWS_DEFAULT_REGION=eu-central-1 $(SAM) validate --lint

sam-local: $(VENV)/dev.stamp $(VENV)/sam.stamp ## The deployment in containers by sam local, on moto, until Ctrl-C
	@$(BIN)/python -m tools.sam_local

sam-local-check: $(VENV)/dev.stamp $(VENV)/sam.stamp ## The same on free ports: publish, install, call, stop
	@$(BIN)/python -m tools.sam_local --check

$(VENV)/bootstrap.stamp: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Oriel needs Python 3.11 or newer; say which with make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml $(VENV)/bootstrap.stamp
	@echo "Installing what the demo needs …"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/demo.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/demo.stamp
	@echo "Installing what the tests need …"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/sam.stamp: requirements/sam.txt requirements/lambda-runtime.txt tools/lambda_python.py $(VENV)/bootstrap.stamp
	@echo "Installing what deployments need …"
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(VENV)/sam
	@$(BIN)/uv pip install -q --python $(VENV)/sam/bin/python --require-hashes -r requirements/sam.txt
	@rm -rf $(VENV)/lambda-runtime
	@$(BIN)/uv pip install -q --target $(VENV)/lambda-runtime --python "$$($(BIN)/python tools/lambda_python.py)" --require-hashes -r requirements/lambda-runtime.txt
	@touch $@
