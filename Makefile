# Everything is set up inside .venv; nothing has to be installed by hand but Python 3.11-3.13.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK = 1
export PREFECT_SERVER_ANALYTICS_ENABLED = false

.PHONY: setup demo test test-slow lint models benchmark clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), "Python 3.11 to 3.13 is needed: make PYTHON=python3.12"'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet uv==0.13.9
	echo "opencv-contrib-python-headless; sys_platform == 'never'" > .venv/overrides.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --override .venv/overrides.txt --editable '.[dev]'
	touch $@

test: setup
	$(BIN)/python -m pytest

test-slow: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf .venv demo build *.egg-info
