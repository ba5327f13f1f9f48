# What a developer types. `make` alone explains.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

install: $(BIN)/python  ## compile and install into .venv, with what tests and checks need
	$(BIN)/pip install '.[dev]'

build: $(BIN)/python  ## compile the engine into src/lenet, for working on the tree without reinstalling
	cmake -S . -B build -DPython_EXECUTABLE=$(abspath $(BIN)/python)
	cmake --build build --parallel
	cp build/_core*.so src/lenet/

stub: build  ## write src/lenet/_core.pyi from the compiled engine
	PYTHONPATH=src $(BIN)/python -m nanobind.stubgen -m lenet._core -o src/lenet/_core.pyi

test:  ## the test suite, on the installed package
	$(BIN)/pytest

check:  ## lint, format, types, spelling, Markdown
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files -z | xargs -0 $(BIN)/codespell
	git ls-files -z '*.md' | xargs -0 $(BIN)/pymarkdown scan

site: $(BIN)/python  ## the documentation as a site, into build/site
	$(BIN)/python -m website

notebooks:  ## run the examples' notebooks and store what they show
	$(BIN)/python tests/test_example_notebooks.py --write

bench:  ## time us beside eight other libraries, store the results, write the pages' tables
	$(BIN)/python -m bench
	$(BIN)/python -m bench.tables

kernels:  ## compare every ISA level with the plain loops, without Python
	cmake -S . -B build/kernels -DLENET_PYTHON=OFF -DLENET_KERNEL_TEST=ON
	cmake --build build/kernels --parallel
	build/kernels/core_test

sanitize: $(BIN)/python  ## the engine under gcc's sanitizers: addresses, undefined behaviour, data races
	PYTHON=$(BIN)/python core/test/sanitize.sh

.PHONY: help install build stub test check site notebooks bench kernels sanitize
