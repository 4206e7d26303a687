# Coop-connect. `make run` opens the app, `make test` passes the tests; both set everything up first.
# On Windows without make, see CONTRIBUTING.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: help setup setup-dev run test lint format bench data validation clean

help:
	@echo "make run     open the app (sets everything up first)"
	@echo "make test    run the tests (sets everything up first)"
	@echo "make lint    ruff and mypy"
	@echo "make bench   time the engine, the start and the slider"
	@echo "make data    build data/territory again from the public packages"
	@echo "make validation  set the models against the observed files again (page Hypothèses, docs/validation.md)"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m coopconnect doctor --warm
	touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

setup: $(VENV)/.installed

setup-dev: $(VENV)/.installed-dev

run: setup
	mkdir -p static
	$(BIN)/python -m coopconnect.ui.serve --server.port $(PORT)

test: setup-dev
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -r R

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/workbook.py
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/slider.py
	$(BIN)/python benchmarks/siting.py

data: setup-dev
	$(BIN)/python -m coopconnect data build

validation: setup-dev
	$(BIN)/python -m coopconnect validate all --write

clean:
	rm -rf $(VENV) static .cache .pytest_cache .hypothesis .ruff_cache .mypy_cache
