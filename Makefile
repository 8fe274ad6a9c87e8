# make book | test | lab | check | run NB=02 | bench        (PYTHON=python3.12 make ... for another Python)

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
# Where PyTorch's builds without CUDA are; used only on Linux and only if it answers.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
BIN = .venv/bin
SITE = _build/html/index.html

.DEFAULT_GOAL = help
.PHONY: help book test lab check run bench clean

help:
	@sed -n 1p Makefile

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit(f"Python {v[0]}.{v[1]}: the book needs 3.11, 3.12 or 3.13; say PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off $$($(BIN)/python tests/torch_index.py $(TORCH_INDEX)) -r requirements.txt
	touch $@

$(SITE): .venv/installed _config.yml _toc.yml $(shell find book notebooks -type f -not -path '*/.*')
	rm -rf _build
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet

book: $(SITE)
	@echo "The book is at file://$(CURDIR)/$(SITE)"

test: $(SITE)
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout=300 tests notebooks

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

lab: .venv/installed
	$(BIN)/jupyter lab notebooks

run: .venv/installed
	$(BIN)/python -m tests.run $(NB)

bench: .venv/installed
	for file in tests/benchmarks/bench_*.py; do $(BIN)/python -m tests.benchmarks.$$(basename $$file .py); done

clean:
	rm -rf .venv _build
