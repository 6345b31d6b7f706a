# Two commands matter: `make demo` (a first moving picture, free) and `make test`. `make help` lists the rest.
# Needs Python 3.11 or newer and make; everything else goes into .venv.

PY := .venv/bin/python
STORYBOARD := .venv/bin/storyboard
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-live bench-download bench-compile bench-engine bench-load bench-ledger bench-growth bench-animatic bench-looking bench-materials bench-git check check-style check-types check-floors check-imports check-schemas format assets picture clean

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: .venv/.installed  ## make the example film with the free sandbox, its cut and its contact sheet
	@$(STORYBOARD) run storyboards/harbour.yaml --no-cut
	@case ":$$PATH:" in *":$(CURDIR)/.venv/bin:"*) ;; \
	*) printf '\n%s\n' "\`storyboard\` is .venv/bin/storyboard; to type it as it stands above:  export PATH=\"$(CURDIR)/.venv/bin:\$$PATH\"" ;; esac
	@echo; $(STORYBOARD) cut storyboards/harbour.yaml && $(STORYBOARD) sheet storyboards/harbour.yaml

test: .venv/.installed-dev  ## the tests
	@$(PY) -m pytest -n auto --dist worksteal -m "not long"

test-long: .venv/.installed-dev  ## the tests, with the whole families of which `make test` takes a sample
	@$(PY) -m pytest -n auto --dist worksteal

HOST ?= https://kinovi.ai
SPEND ?= 0

test-live: .venv/.installed-dev  ## hold the real API to its pages: reads only, SPEND=N credits for the rest (docs/api.md)
	@$(PY) -m pytest tests/conformance --host $(HOST) --spend $(SPEND)

bench-download: .venv/.installed-dev  ## downloads against curl and a hash
	@$(PY) -m benchmarks.download

bench-compile: .venv/.installed-dev  ## text to plan against libyaml's events alone, the start, a peer (VS=CHECKOUT)
	@$(PY) -m benchmarks.compile && $(PY) -m benchmarks.startup && $(PY) -m benchmarks.completion
	@$(PY) -m benchmarks.peers $(if $(VS),--vs $(VS))

bench-engine: .venv/.installed-dev  ## a batch against the list schedule without overhead (minutes; --only virtual, --only live)
	@$(PY) -m benchmarks.engine

bench-load: .venv/.installed-dev  ## memory and CPU of a run that waits, and the way back after a crash
	@$(PY) -m benchmarks.load

bench-ledger: .venv/.installed-dev  ## commits and recovery
	@$(PY) -m benchmarks.ledger

bench-growth: .venv/.installed-dev  ## a plan beside the records of others, receipts, the change of an old ledger
	@$(PY) -m benchmarks.growth

bench-animatic: .venv/.installed-dev  ## CPU for a second of clip
	@$(PY) -m benchmarks.animatic

bench-looking: .venv/.installed-dev  ## the cut by copying and by encoding, the sheet, the dailies (minutes)
	@$(PY) -m benchmarks.looking
	@$(PY) -m benchmarks.dailies

bench-materials: .venv/.installed-dev  ## local pictures against sha256sum; 200 files to a store against rclone copy
	@$(PY) -m benchmarks.materials
	@$(PY) -m benchmarks.materials_upload

bench-git: .venv/.installed-dev  ## mend, diff, status, spend and verify of large films (minutes)
	@$(PY) -m benchmarks.git

check: check-style check-types check-floors check-imports check-schemas  ## style, types, floors, imports, schemas

check-style: .venv/.installed-dev
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check .

check-types: .venv/.installed-dev
	@.venv/bin/mypy

check-floors: .venv/.installed-dev
	@.venv/bin/lint-imports

# Only tests may import what the extra `dev` brings.
check-imports: .venv/.installed-dev
	@.venv/bin/deptry .
	@.venv/bin/deptry tests --exclude '^$$' --ignore DEP002,DEP004

check-schemas: .venv/.installed-dev
	@.venv/bin/check-jsonschema --check-metaschema schemas/*.json
	@.venv/bin/check-jsonschema --schemafile schemas/storyboard.schema.json storyboards/*.yaml storyboards/shared/*.yaml
	@$(STORYBOARD) validate

format: .venv/.installed-dev  ## put the code into its form
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

assets: .venv/.installed  ## draw, animate and synthesise the examples' assets anew
	@$(PY) storyboards/assets/make.py

picture: demo  ## the README's contact sheet, from the clips of the example
	@$(STORYBOARD) sheet storyboards/harbour.yaml --to docs/pictures/harbour.jpg

clean:  ## remove the environment and what tools left (never a clip, never a record of money)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

# The stamps lie inside .venv, so that they go with it. PYTHON=/path/to/python chooses another interpreter.
.venv/bin/python:
	@for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	  echo "making .venv with $$("$$python" --version)"; \
	  "$$python" -m venv --clear .venv && exit 0; \
	  rm -rf .venv; \
	  echo "$$python cannot make a virtual environment; on Debian and Ubuntu: sudo apt install python3-venv" >&2; \
	  exit 1; \
	done; \
	echo "storyboard needs Python 3.11 or newer, and $(if $(PYTHON),$(PYTHON) is none,none is on this machine's PATH)." >&2; \
	echo "Install it (https://www.python.org/downloads/), or name it: make PYTHON=/path/to/python3.12 demo" >&2; \
	exit 1

.venv/.installed: pyproject.toml | .venv/bin/python
	@echo "installing into .venv (once)"
	@$(PIP) --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml | .venv/bin/python
	@echo "installing into .venv, with what the tests need (once)"
	@$(PIP) --editable '.[dev]'
	@touch .venv/.installed $@
