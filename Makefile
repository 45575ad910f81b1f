# What is done often; `.ci/run` does all that a merge asks for.
# make bench BENCH=search.search ARGS="--data FOLDER"    runs a benchmark of benchmarks/README.md
PYTHON ?= python
BENCH ?= speed.linearity
ARGS ?=

.PHONY: help test lint docs bench

help:
	@echo 'make test   the tests'
	@echo 'make lint   ruff, format, spelling, import contracts, types'
	@echo 'make docs   the man page made anew, and the examples of the documents run'
	@echo 'make bench  a benchmark: BENCH=$(BENCH) ARGS="$(ARGS)"'

test:
	$(PYTHON) -m pytest

lint:
	ruff check .
	ruff format --check .
	git ls-files -z | xargs -0 codespell
	lint-imports
	mypy --strict ghostbuster

docs:
	$(PYTHON) docs/tools/man_page.py
	$(PYTHON) -m pytest -q tests/project

bench:
	$(PYTHON) -m benchmarks.$(BENCH) $(ARGS)
