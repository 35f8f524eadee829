# Everything a user or a contributor runs. Needs git, make and a Python of 3.12 to 3.14 somewhere usual, or named:
# make test PYTHON=/path/to/python3.13. The rest is set up in .venv from requirements.lock.

PYTHON ?=
# Worker processes of the test run. Each compiles what it tests, so more of them is not always faster.
WORKERS ?= 5
# Played by `make simulate`: so many seeds, from this one on.
SEEDS ?= 200
FIRST_SEED ?= 1
# Played by `make day`.
HOURS ?= 24
# Given to the study by `make backtest ARGS="--seeds 3 --out runs/study"`, or to pytest by `make test ARGS="-k reach"`.
ARGS ?=

# Hundreds of processes are started by the tests: each would compile all modules anew where nothing is kept.
unexport PYTHONDONTWRITEBYTECODE

RUN := .venv/bin/python
CODE := framework adapters strategies backtests

.DEFAULT_GOAL := help
.PHONY: help setup backtest venue test conformance simulate day week mutations kills fuzz lint format bench lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /    make \1|/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: ## the environment in .venv, from the pinned and hashed requirements.lock
	@.make/setup "$(PYTHON)"

backtest: setup ## the same strategy over every protocol, side by side
	@$(RUN) backtests/protocol_comparison.py $(ARGS)

venue: setup ## the simulated venue on this machine, for any client of Kraken
	@.venv/bin/tidegate venue $(ARGS)

# In the order of tests/conftest.py: by how many tests they have, files of few and long ones would come last.
test: setup ## all tests
	@$(RUN) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

conformance: setup ## the venue against clients by others, those built from source (minutes, once) included
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .make/conformance-build.lock
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes \
		-r .make/conformance.lock
	@$(RUN) -m pytest tests/conformance $(ARGS)

simulate: setup ## both ends over a faulty virtual network: SEEDS=1000 FIRST_SEED=1
	@$(RUN) -m tests.simulation.wire.play --seeds $(SEEDS) --first-seed $(FIRST_SEED) $(ARGS)

day: setup ## a day of market making on the served venue under faults, in virtual time
	@$(RUN) -m tests.simulation.wire.day --hours $(HOURS) $(ARGS)

week: setup ## memory of a live run over a week of virtual time, an hour of each day at full speed, its venue in the process
	@$(RUN) -m tests.simulation.wire.day --hours 168 --slowness 100 --full-hours 1 --faults 1 --unwatched $(ARGS)

mutations: setup ## deliberate bugs, and the seed of the simulation that catches each (minutes)
	@$(RUN) -m tests.simulation.wire.mutations $(ARGS)

kills: setup ## `tidegate live` killed by SIGKILL at 200 drawn moments, on all roads (an hour; make kills ARGS="--kills 20")
	@$(RUN) -m tests.conformance.killed_runs $(ARGS)

fuzz: setup ## hostile input for the venue, 30 seconds for each of its doors (make fuzz ARGS="--seconds 300 ws2")
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		-r .make/fuzz.lock || echo "atheris cannot be installed here"
	@$(RUN) -m tests.fuzz $(ARGS)

lint: setup ## style, format and types
	@status=0; \
	$(RUN) -m ruff check . || status=1; \
	$(RUN) -m ruff format --check . || status=1; \
	$(RUN) -m mypy $(CODE) || status=1; \
	exit $$status

format: setup ## put the code in the form that lint asks for
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

bench: setup ## the benchmarks, in one process, with their figures
	@$(RUN) -m pytest tests/benchmarks -m benchmark -s $(ARGS)

lock: ## resolve requirements.lock anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH" >&2; exit 1; }
	@UV_CUSTOM_COMPILE_COMMAND="make lock" uv --no-config pip compile --quiet --upgrade --universal \
		--python-version 3.12 --generate-hashes --extra dev pyproject.toml --output-file requirements.lock
	@.make/lock-extra conformance conformance
	@.make/lock-extra conformance-build conformance
	@.make/lock-extra fuzz fuzz

clean: ## remove the environment and everything that was generated
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist tidegate.egg-info
	@find $(CODE) tests -name __pycache__ -type d -prune -exec rm -rf {} +
