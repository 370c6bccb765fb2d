# Everything here works from a fresh clone with Python 3.11 or newer, make and git.
# PYTHON names the interpreter that makes the environment.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The stamp is remade when the dependencies change.
$(VENV)/.installed: pyproject.toml lab/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --editable lab --group dev
	touch $@

install: $(VENV)/.installed ## make the virtual environment and install the package

demo: install ## build a cluster in a lab: five notebooks, one page, two tables
	@$(BIN)/k8swin demo

test: install ## run all checks
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@cd lab && ../$(BIN)/python -m mypy
	@$(BIN)/lint-imports
	@$(BIN)/lint-imports --config lab/pyproject.toml
	@$(BIN)/python -m pytest -c lab/pyproject.toml lab/tests
	@$(BIN)/python -m pytest

test-real: install ## build a cluster on the disposable host REAL_HOSTS, see CONTRIBUTING.md
	@REAL_HOSTS="$(REAL_HOSTS)" REAL_USER="$(REAL_USER)" REAL_KEY="$(REAL_KEY)" REAL_APT="$(REAL_APT)" \
	    REAL_PROFILE="$(or $(REAL_PROFILE),current)" \
	    REAL_KUBERNETES="$(or $(REAL_KUBERNETES),1.36.4)" REAL_CGROUP_V1="$(REAL_CGROUP_V1)" REAL_VERIFY="$(REAL_VERIFY)" \
	    $(BIN)/python -m pytest tests/real -m real

lab-reach: install ## measure how much of the lab its users reach, by package; takes half an hour
	@$(BIN)/python -m lab.tools.reach

notebooks: install ## rewrite the notebooks' parameters cells from the model
	@$(BIN)/python -m k8swin_nb.notebook.parameter_cell notebooks/[0-9]*.ipynb

jupyter: install ## start the lab and open JupyterLab at 00_start_here
	@$(BIN)/k8swin lab up
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab notebooks/00_start_here.ipynb

clean: ## stop the lab, remove the environment and what tools left; records in runs/ stay
	@test ! -x $(BIN)/k8swin || $(BIN)/k8swin lab down
	rm -rf $(VENV) .k8swin/lab .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help install demo test test-real lab-reach notebooks jupyter clean
