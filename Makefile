# make run    set everything up on a fresh machine, then build, test and break a cluster, and write the report
# make lab    set everything up, Docker too, and make a lab of six machines to practise on
# make test   set everything up, then lint, types, layers, the tests, and the wheel in an environment of its own
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
AXE    := $(VENV)/axe/node_modules/axe-core/axe.min.js

.PHONY: run lab test setup system for-tests docker lint types unit wheel clean

run: setup
	$(BIN)/idcbench run $(ARGS)

lab: docker setup
	$(BIN)/idcbench lab up --setup-runtime $(ARGS)

test: for-tests docker setup
	$(MAKE) --no-print-directory lint types
	$(BIN)/idcbench artifacts get
	$(BIN)/pytest $(ARGS)
	$(MAKE) --no-print-directory wheel

setup: system $(STAMP)

system:
	@scripts/setup-system "$(PYTHON)"

for-tests:
	@scripts/setup-system "$(PYTHON)" tests
	@$(MAKE) --no-print-directory $(AXE)

$(AXE): Makefile
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(VENV)/axe axe-core@4.14.1
	@touch $@

docker:
	@scripts/setup-system "$(PYTHON)" docker

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev --editable '.[parquet,xdist]'
	@touch $@

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types:
	$(BIN)/mypy

wheel: setup
	scripts/check-wheel "$(BIN)/python"

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
