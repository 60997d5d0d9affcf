# Two commands do everything: `make review` and `make test`. They need Python 3.11 or newer with venv and
# pip, and make; where uv is found it is used instead of pip (seconds instead of minutes). `make UV= test`
# goes without uv. Each target names its Python twin, for machines without make.

PYTHON ?= python3
VENV ?= .venv
UV ?= $(shell command -v uv 2>/dev/null)
SAMPLE ?= data/sample
WORKERS ?= 2
PYTEST_ARGS ?= -q -n $(WORKERS) --dist loadfile
ARGS ?=

PY := $(VENV)/bin/python
INSTALLED_RUN ?= $(VENV)/.installed-run
INSTALLED_TEST ?= $(VENV)/.installed-test
NBSTRIPOUT := $(PY) -m nbstripout --keep-output --keep-count \
	--extra-keys "metadata.papermill cell.metadata.papermill cell.metadata.execution"

ifeq ($(strip $(UV)),)
INSTALLER := pip, which takes minutes the first time
MAKE_VENV = $(PYTHON) -m venv $(VENV)
NEED_PIP = $(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null
INSTALL = $(PY) -m pip install --quiet --disable-pip-version-check
else
INSTALLER := uv
MAKE_VENV = $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
NEED_PIP = true
INSTALL = $(UV) pip install --quiet --compile-bytecode --python $(PY)
endif

# Every kernel imports the package: compiled once here, whatever the environment says of writing bytecode.
COMPILE = $(PY) -m compileall -q journeylib

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: review test lab lint format outputs picture simulate bench lock clean help

review: $(INSTALLED_RUN) | $(SAMPLE)/journey.toml  ## review of the sample; the last line is the report's path
	@echo "$(PY) -m journeylib review $(SAMPLE) $(ARGS)" >&2
	@$(PY) -m journeylib review $(SAMPLE) $(ARGS)

test: $(INSTALLED_TEST)  ## all tests; the last line is pytest's summary
	@echo "$(PY) -m pytest $(PYTEST_ARGS) $(ARGS)" >&2
	@$(PY) -m pytest $(PYTEST_ARGS) $(ARGS)

lab: $(INSTALLED_RUN)  ## JupyterLab on the notebooks
	$(PY) -m jupyterlab --notebook-dir=. $(ARGS)

lint: $(INSTALLED_TEST)  ## ruff, mypy and notebook normalising, as the tests see them
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	@for notebook in $$(find notebooks -name '*.ipynb' -not -path '*/.ipynb_checkpoints/*'); do \
		$(NBSTRIPOUT) --verify "$$notebook" || exit 1; done

format: $(INSTALLED_TEST)  ## mends what ruff and nbstripout can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	@for notebook in $$(find notebooks -name '*.ipynb' -not -path '*/.ipynb_checkpoints/*'); do \
		$(NBSTRIPOUT) "$$notebook" || exit 1; done

outputs: $(INSTALLED_TEST)  ## makes reports/example and the notebooks' stored outputs anew
	$(PY) scripts/refresh_outputs.py

picture: $(INSTALLED_TEST)  ## takes the README's picture of reports/example (needs Chromium)
	$(PY) scripts/take_picture.py

simulate: $(INSTALLED_TEST)  ## reviews 50 samples with known truth, writes docs/simulations.md (half an hour)
	$(PY) scripts/simulate.py $(ARGS)

bench: $(INSTALLED_TEST)  ## B1 to B4 against ../shared/baselines, writes docs/benchmarks.md (an hour)
	@echo "$(PY) -m benchmarks $(ARGS)" >&2
	@$(PY) -m benchmarks $(ARGS)

lock:  ## re-locks and exports both requirement files (needs uv)
	@test -n "$(strip $(UV))" || { echo "make lock needs uv: python -m pip install uv" >&2; exit 1; }
	$(UV) lock
	$(UV) export --frozen --quiet --no-emit-project --no-default-groups --group build \
		--output-file requirements-run.txt
	$(UV) export --frozen --quiet --no-emit-project --no-default-groups --group build --group test \
		--output-file requirements-test.txt

clean:  ## removes the environment, caches and unpublished builds; reports stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

help:  ## this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z][a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "journeylib needs Python 3.11 or newer; $(PYTHON) is older or absent." \
			"Say which one to use: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Making $(VENV)" >&2
	@$(MAKE_VENV)

$(INSTALLED_RUN): requirements-run.txt pyproject.toml | $(PY)
	@echo "Installing requirements-run.txt with $(INSTALLER)" >&2
	@$(NEED_PIP)
	@$(INSTALL) --require-hashes -r requirements-run.txt
	@$(INSTALL) --no-build-isolation --no-deps -e .
	@$(COMPILE)
	@touch $@

$(INSTALLED_TEST): requirements-test.txt pyproject.toml | $(PY)
	@echo "Installing requirements-test.txt with $(INSTALLER)" >&2
	@$(NEED_PIP)
	@$(INSTALL) --require-hashes -r requirements-test.txt
	@$(INSTALL) --no-build-isolation --no-deps -e .
	@$(COMPILE)
	@touch $(INSTALLED_RUN) $@

# The sample is in the repository; it is made again only where it is missing.
$(SAMPLE)/journey.toml: | $(INSTALLED_RUN)
	@echo "$(PY) -m journeylib sample $(SAMPLE)" >&2
	@$(PY) -m journeylib sample $(SAMPLE) >&2
