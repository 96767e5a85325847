# make: set up and run the default grid. make test: set up and run every check. Both are safe to repeat.
# make coverage: make test, and the share of lines that tests run; 95 % at least.
# make verdicts: print the table of verdicts again.
# make pictures: the pictures of the documentation, from the report of the default grid.
# make docs: the documentation as a site, with examples that run; open docs/site/index.html.
# make mutants: change the science in seventy ways, one at a time, and say what noticed each.
# make chaos: disturb runs at random for ten minutes, and count what was mishandled.
# make bench: time the training engines beside their peers.
# make bench-pipeline OTHER=FOLDER: time the default grid beside that of another checkout, in turn.
# make pythons: the smoke grid with every other Python from 3.11 on that is here, compared to the last bit; and its tests.
# make slurm-test, make gridengine-test: the profiles for clusters, on a private Slurm and a private Grid Engine.
# make ARCHIVE=FOLDER: report a data folder copied from elsewhere, without training.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
RUN := $(BIN)/snakemake --workflow-profile workflow/profiles/local

# What a user writes is data. Paths are taken as they are, not expanded by make, and reach recipes as variables of the
# environment, which a shell does not read as commands; the text of a grid's file is read by dmf only.
override ARCHIVE := $(value ARCHIVE)
ifneq ($(value GRID),)
override GRID := $(value GRID)
else
override GRID := $(if $(ARCHIVE),$(ARCHIVE)/grid.yaml,config/config.yaml)
endif
override OTHER := $(value OTHER)
export GRID ARCHIVE OTHER
# Python keeps what it compiles: without, every start here would compile its libraries, which takes a second or more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: all setup verdicts pictures test coverage docs pythons mutants chaos cluster-setup slurm-test gridengine-test lint bench bench-pipeline clean

# The file is checked first: Snakemake would run templates in it, and hang where a few lines stand for a billion values.
all: setup
	@$(BIN)/dmf check-grid $${ARCHIVE:+--archive="$$ARCHIVE"} -- "$$GRID" >/dev/null
	@$(RUN) --configfile="$$GRID" $${ARCHIVE:+--config "archive=$$ARCHIVE"} -- all

# The table in the terminal, in colour; nothing runs.
verdicts: setup
	@$(BIN)/dmf verdicts --grid="$$GRID"

pictures: .venv/testable
	@$(BIN)/python docs/pictures.py reports/default

setup: .venv/installed

# The stamps are younger than what they were made from, so a repeated make costs nothing. Python compiles what runs import
# and no more: pip would compile every file, which takes half of the time and 150 MB.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dmf-landscape needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv
	$(INSTALL) . --no-compile
	$(BIN)/python -m dmf.cli.forks
	$(BIN)/python -m dmf.training.compiled_engine
	touch $@

# What only tests need comes with the first of them.
.venv/testable: .venv/installed
	$(INSTALL) '.[dev]'
	touch $@

test: .venv/testable lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(COVERAGE)

# The same tests, which take half as long again.
coverage: COVERAGE := --cov=dmf --cov-report=term:skip-covered --cov-fail-under=95
coverage: test

# A link that leads nowhere, an example that fails and a page that needs a network each end it.
docs: .venv/testable
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx --quiet --fail-on-warning --nitpicky -c docs -d .sphinx_cache . docs/site
	@echo "docs/site/index.html"

# Without torch, which an environment needs for comparisons only.
pythons: .venv/testable
	$(BIN)/python tests/pythons.py

# Each is caught by a verdict of a small grid, or by a test of its room; hours, so `--sample 10` or `--only TEXT` for a few.
mutants: .venv/testable
	$(BIN)/python tests/mutants/run.py

# Ten minutes of kills, orphans and full disks in every step of a small grid; the seed that it prints repeats the choices.
chaos: .venv/testable
	$(BIN)/python tests/chaos.py

# Installs both queues where that can be done, and says why where not.
cluster-setup: .venv/testable
	$(INSTALL) '.[dev,cluster,kubernetes]'
	tests/debian.sh "slurmctld slurmd munged sbatch ip" slurm-wlm munge iproute2
	tests/debian.sh "sge_qmaster sge_execd qsub ip" gridengine-master gridengine-exec gridengine-client iproute2

# Both stop only what they started.
slurm-test: cluster-setup
	$(BIN)/python -m pytest tests/slurm tests/workflow/test_profiles.py

gridengine-test: cluster-setup
	$(BIN)/python -m pytest tests/gridengine

lint: .venv/testable
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# Compares with peers on one core and takes about ten minutes; close everything else first.
bench: .venv/testable
	$(INSTALL) '.[dev,bench]'
	$(BIN)/python benchmarks/training.py

bench-pipeline: setup
	$(BIN)/python benchmarks/pipeline.py "$$OTHER"

clean:
	rm -rf .venv
