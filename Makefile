# make: set up and run the default grid. make test: set up and run every check. Both are safe to repeat.
# make verdicts: print the table of verdicts again.
# make bench: time the training engines beside their peers. make slurm-test: the profiles for clusters, on a private Slurm.
# make ARCHIVE=FOLDER: report a data folder copied from elsewhere, without training.
PYTHON ?= python3
GRID ?= $(if $(ARCHIVE),$(ARCHIVE)/grid.yaml,config/config.yaml)
BIN := .venv/bin
NAME = $(shell $(BIN)/python -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["grid"])' $(GRID))
RUN := $(BIN)/snakemake --workflow-profile workflow/profiles/local

.PHONY: all setup verdicts test slurm-setup slurm-test lint bench clean

all: setup
	@$(RUN) --configfile $(GRID) $(if $(ARCHIVE),--config archive=$(ARCHIVE)) -- all; status=$$?; \
	  if [ -d reports/$(NAME)/verdicts ]; then $(BIN)/dmf verdicts reports/$(NAME) || exit; fi; exit $$status

# The table in the terminal, in colour; nothing runs.
verdicts: setup
	@$(BIN)/dmf verdicts reports/$(NAME)

setup: .venv/installed

# The stamp is younger than what it was made from, so a repeated make costs nothing.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dmf-landscape needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m dmf.training.compiled_engine
	touch $@

test: setup lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --cov=dmf --cov-report=term:skip-covered --cov-fail-under=95

# Installs Slurm where that can be done, and says why where not.
slurm-setup: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,cluster,kubernetes]'
	tests/slurm/install.sh

# Stops only what it started.
slurm-test: slurm-setup
	$(BIN)/python -m pytest tests/slurm tests/workflow/test_profiles.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# Compares with peers on one core and takes about ten minutes; close everything else first.
bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,bench]'
	$(BIN)/python benchmarks/training.py

clean:
	rm -rf .venv
