# make setup | test | test-gpu | coverage | demo | docs | bench-speed | bench-bias | lint | types | format | clean. Each target makes what it lacks, .venv included.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# One thread per process: the tests run side by side, and small matrices gain nothing from more.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: help setup test test-gpu coverage demo docs bench-speed bench-bias lint types format clean

help:
	@echo "make setup       create a virtual environment in $(VENV) with turinglearn and its development tools"
	@echo "make test        run everything that a commit must pass: ruff, mypy, pytest"
	@echo "make test-gpu    run the tests that need a GPU, and write what they measure to benchmarks/results/gpu.md"
	@echo "make coverage    run the tests, and fail if they cover too little of the package (pyproject.toml says how much)"
	@echo "make demo        run the demonstration, and write it to demo/"
	@echo "make docs        build the pages in docs/_build/html"
	@echo "make bench-speed compare the neural core with PyTorch and JAX, on one thread and on all: benchmarks/results/speed*.md"
	@echo "make bench-bias  run a small study of what replacing the discriminator does: bench-bias/report.html"
	@echo "make lint        run ruff alone"
	@echo "make types       run mypy alone"
	@echo "make format      let ruff rewrite the code"
	@echo "make clean       remove $(VENV), caches and everything that was made"

setup: $(READY)

# The first of these that is Python 3.11 or later and can make virtual environments.
$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "make: $$("$$python" --version) makes $(VENV)"; \
	        exec "$$python" -m venv --clear $(VENV); \
	    fi; \
	done; \
	echo "make: no Python 3.11 or later with the venv module was found (python3 is $$(python3 --version 2>/dev/null || echo missing))." >&2; \
	echo "make: Install one (on Debian: python3 and python3-venv), or name it: make setup PYTHON=/path/to/python3.11" >&2; \
	exit 1

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	@echo "make: installing turinglearn and its development tools into $(VENV) (a minute or two)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

test: lint types
	@echo "make: pytest"
	@$(BIN)/python -m pytest -q -n 2

# One process: the time of a round is measured. Where nothing ran the page is left as it is.
test-gpu: $(READY)
	@echo "make: pytest -m gpu"
	@TURINGLEARN_GPU_PAGE=benchmarks/results/gpu.md $(BIN)/python -m pytest -q -m gpu tests

# Commands that tests start are counted too; the processes of a study are not, since they end by SIGKILL. TESTS="tests/..." measures a part.
coverage: $(READY)
	@echo "make: pytest, with coverage"
	@$(BIN)/python -m pytest -q -n 2 --cov --cov-report=term --cov-report=html:.coverage-html $(TESTS)
	@echo "make: .coverage-html/index.html"

demo: $(READY)
	@$(BIN)/python -m turinglearn.cli.demo --out demo/

docs: $(READY)
	@echo "make: Sphinx"
	@$(BIN)/python -m sphinx -q -W --keep-going -n -E -b html docs docs/_build/html
	@echo "make: docs/_build/html/index.html"

# Each pass sets its own number of threads, before the libraries are loaded.
bench-speed: $(READY)
	@mkdir -p .benchmarks
	@for threads in 1 all; do \
	    echo "make: pytest benchmarks/speed, threads: $$threads"; \
	    $(BIN)/python -m pytest -q -p no:cacheprovider benchmarks/speed/test_speed.py --threads $$threads \
	        --benchmark-columns=median,iqr,rounds --benchmark-sort=fullname --benchmark-json=.benchmarks/speed-$$threads.json || exit 1; \
	done
	@echo "make: benchmarks/results/speed.md and benchmarks/results/speed_all_threads.md"

# A study that was stopped goes on: remove bench-bias/ to start again.
bench-bias: $(READY)
	@mkdir -p bench-bias
	@$(BIN)/turinglearn study run benchmarks/bias/smoke.toml --store bench-bias/smoke.sqlite --workers 2
	@$(BIN)/turinglearn study report bench-bias/smoke.sqlite --out bench-bias
	@echo "make: bench-bias/report.html"

lint: $(READY)
	@echo "make: ruff"
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check . || { echo "make: 'make format' fixes the layout" >&2; exit 1; }

types: $(READY)
	@echo "make: mypy"
	@$(BIN)/mypy --no-error-summary

format: $(READY)
	@$(BIN)/ruff check -q --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .nox .coverage .coverage.* .coverage-html demo bench-bias docs/_build dist build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
	find turinglearn tests -name __pycache__ -type d -prune -exec rm -rf {} +
