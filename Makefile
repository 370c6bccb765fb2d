# Everything here works from a fresh clone with Python 3.11 or newer, make and git.
# PYTHON names the interpreter that makes the environment.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The stamp is remade when the dependencies change. constraints.txt holds the versions that were tried last.
$(VENV)/.installed: pyproject.toml lab/pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt \
	    --editable '.[desk]' --editable lab --group dev
	$(BIN)/python -m compileall -q k8swin_nb lab/k8swin_lab
	touch $@

install: $(VENV)/.installed ## make the virtual environment and install both packages, with what a desk needs

demo: install ## build a cluster in a lab: five notebooks, one page, two tables
	@$(BIN)/k8swin demo

# Parts of the tests; each uses two cores. The order is by length, the longest first.
PARTS := notebooks steps lab toolkit style

test: install ## run all checks, side by side
	@$(BIN)/python .ci/side_by_side.py $(foreach part,$(PARTS),'$(part)=$(MAKE) --no-print-directory test-$(part)')

test-short: test-toolkit ## run the toolkit's own tests, without the lab, in a few minutes

test-style: install ## ruff, mypy, import-linter
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@cd lab && $(abspath $(BIN))/python -m mypy
	@$(BIN)/lint-imports
	@$(BIN)/lint-imports --config lab/pyproject.toml

PYTEST := -m pytest -q -n 2 --durations=10

test-toolkit: install ## the toolkit's own tests, with the lab out of reach
	@$(BIN)/python $(PYTEST) --toolkit

test-lab: install ## the lab's own tests
	@$(BIN)/python $(PYTEST) -c lab/pyproject.toml lab/tests

test-steps: install ## every step of the toolkit on machines of the lab
	@$(BIN)/python $(PYTEST) tests/steps tests/scripts tests/wire

test-notebooks: install ## notebooks, in a kernel and in a browser, on machines of the lab; the course; packages
	@$(BIN)/python $(PYTEST) $(wildcard tests/notebooks tests/workshop tests/browser tests/binder tests/packaging)

test-course: install ## every exercise of the course with its solution, also those that take minutes
	@COURSE=whole $(BIN)/python -m pytest -q tests/workshop

# What needs no lab, no browser and no packages; the environment goes again.
LOWEST := tests/cluster tests/notebook tests/workflow tests/headless tests/phases tests/transports tests/test_api.py \
    tests/test_description.py tests/test_reading.py tests/test_tables.py

test-lowest: install ## the toolkit's tests with the lowest versions that its libraries are allowed
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(BIN)/python .ci/lowest.py > "$$folder/lowest.txt" && $(PYTHON) -m venv "$$folder/venv" && \
	"$$folder/venv/bin/python" -m pip install --quiet --constraint "$$folder/lowest.txt" --editable '.[desk,keyring]' \
	    hypothesis pytest pytest-timeout && \
	"$$folder/venv/bin/python" -m pytest -q --toolkit -p no:cacheprovider $(LOWEST)

test-real: install ## build a cluster on the disposable host REAL_HOSTS, see CONTRIBUTING.md
	@REAL_HOSTS="$(REAL_HOSTS)" REAL_USER="$(REAL_USER)" REAL_KEY="$(REAL_KEY)" REAL_APT="$(REAL_APT)" \
	    REAL_PROFILE="$(or $(REAL_PROFILE),current)" \
	    REAL_KUBERNETES="$(or $(REAL_KUBERNETES),1.36.4)" REAL_CGROUP_V1="$(REAL_CGROUP_V1)" REAL_VERIFY="$(REAL_VERIFY)" \
	    REAL_LAB_WORKER="$(REAL_LAB_WORKER)" $(BIN)/python -m pytest $(or $(REAL_TESTS),tests/real) -m real

test-lab-worker: install ## join a Windows machine of the lab to a cluster on real hosts, see CONTRIBUTING.md
	@$(MAKE) --no-print-directory test-real REAL_LAB_WORKER=true REAL_TESTS=tests/real/test_windows_worker.py

test-windows: install ## try everything on the disposable Windows servers WIN_HOSTS, see docs/real-windows.md
	@$(foreach name,HOSTS PARAMS MASTER PART USER CREDENTIAL CA PORT REPORT,$(if $(WIN_$(name)),WIN_$(name)='$(WIN_$(name))')) \
	    $(BIN)/python -m pytest tests/windows -m windows --tb=short

# Its parts, sizes and rounds: make bench BENCH='--only fan_out --hosts 50 --rounds 1'. REAL_HOSTS and so on as for test-real.
bench: install ## measure beside fabric, pyinfra and ansible-core, which come into an environment of their own
	@$(BIN)/python -m bench $(BENCH)

lab-reach: install ## measure how much of the lab its users reach, by package; a long measurement
	@$(BIN)/python -m lab.tools.reach

notebooks: install ## rewrite the notebooks' parameters cells from the model
	@$(BIN)/python -m k8swin_nb.notebook.parameter_cell notebooks/[0-9]*.ipynb

jupyter: install ## start the lab and open a copy of the notebooks in JupyterLab, as one run
	@$(BIN)/k8swin lab up
	@$(BIN)/k8swin desk

dist: install ## build both packages into dist/
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m build --outdir dist lab

# Of each library the newest that runs on the oldest Python too; on a newer one the same versions do. What is built of its
# source where it is wanted, for the extra kerberos, keeps its version until somebody tries another.
constraints: install ## renew constraints.txt with the newest versions that are allowed; run the tests afterwards
	@new=$$(mktemp) && trap 'rm -f "$$new"' EXIT && built=$$(grep -E '^(gssapi|krb5)==' constraints.txt) && \
	$(BIN)/python -m pip install --quiet --dry-run --ignore-installed --target "$$new.none" --report "$$new" \
	    --python-version 3.11.0 --only-binary :all: '.[desk]' ./lab --group dev && \
	$(BIN)/python -c 'import json, sys; \
	print("# The versions that were tried last, of everything that `make install` brings. Made by `make constraints`."); \
	print(*sorted(sys.argv[1:] + ["{name}=={version}".format_map(item["metadata"]) \
	    for item in json.load(sys.stdin)["install"] if "dir_info" not in item["download_info"]]), sep="\n")' \
	    $$built < "$$new" > constraints.txt

clean: ## stop the lab, remove the environment and what tools left; records in runs/ stay
	@test ! -x $(BIN)/k8swin || $(BIN)/k8swin lab down
	rm -rf $(VENV) dist .k8swin/lab .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help install demo test test-short test-style test-toolkit test-lab test-steps test-notebooks test-course test-lowest \
    test-real test-windows bench lab-reach notebooks jupyter dist constraints clean
