# Every target sets up what it needs by itself: `make test` on a fresh clone is enough.
# Locks, checks and tests are the same on every machine; WORKERS=n changes how many tests run at once.
.DEFAULT_GOAL := help
.PHONY: help demo test lab check bench soak lock clean setup

BIN := .venv/bin
WORKERS ?= 2
CODE := $(wildcard flownb tests examples benchmarks)
TYPED := flownb tests $(if $(wildcard examples/*.py examples/*/*.py),examples)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: setup  ## run a real notebook as a workflow, kill it in the middle, resume it
	$(BIN)/python -m flownb demo

test: check  ## check, then all tests but the long ones (within 20 minutes on 2 cores)
	@scripts/setup --lab --apt "chromium fonts-liberation"
	$(BIN)/pytest tests -m "not soak" --ignore tests/browser -n $(WORKERS) --dist worksteal
	$(BIN)/pytest tests/browser -m "not soak"

lab:  ## open JupyterLab with the tutorial
	@scripts/setup --lab
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/tutorial.ipynb

check: setup  ## style, types and the direction of imports; fast
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-logo

bench: setup  ## measure speed against plain asyncio; PEERS=1 and peers; SIZE=quick or full; JSON=FILE
	@$(if $(PEERS),scripts/peers,:)
	$(BIN)/python -m benchmarks.run $(addprefix --,$(SIZE)) $(if $(JSON),--json $(JSON))

soak: setup  ## the tests that run for minutes or hours: kills, races, fuzz in full numbers; prints their figures
	$(BIN)/pytest tests -m soak --timeout 0 -s
	$(BIN)/pytest tests/property -m "not soak" --hypothesis-profile=fresh --timeout 0

lock:  ## compile the locks from pyproject.toml; UPGRADE=1 takes the newest versions
	@scripts/lock $(if $(UPGRADE),--upgrade)

clean:  ## remove the environment, caches and what was built
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	rm -rf widgets/node_modules flownb/widgets/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@scripts/setup
