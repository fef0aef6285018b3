# Everything is set up inside .venv; nothing has to be installed by hand but Python 3.11-3.13.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK = 1
export PREFECT_SERVER_ANALYTICS_ENABLED = false

.PHONY: setup demo test test-slow lint models benchmark clean

setup: .venv/ready

# Compiling now saves seconds at every start of the command.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), "Python 3.11 to 3.13 is needed: make PYTHON=python3.12"'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet uv==0.13.9
	echo "opencv-contrib-python-headless; sys_platform == 'never'" > .venv/overrides.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --override .venv/overrides.txt --editable '.[dev]'
	touch $@

demo: setup
	$(BIN)/python -m tests.clips demo
	$(BIN)/veil blur demo/video.mp4 -o demo/blurred.mp4 --keep demo/refs/collins.jpg --report demo/report.json --overwrite
	$(BIN)/python -m tests.before_after demo/video.mp4 demo/blurred.mp4 demo/before_after.jpg
	@echo "The clip is demo/video.mp4, the result demo/blurred.mp4; demo/before_after.jpg shows a frame of both."

test: setup
	$(BIN)/python -m pytest

test-slow: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

models: setup
	$(BIN)/python -m tasks.models.build

benchmark: setup
	$(BIN)/python -m tests.benchmarks.footprint
	$(BIN)/python -m tests.benchmarks.quality

clean:
	rm -rf .venv demo build *.egg-info
