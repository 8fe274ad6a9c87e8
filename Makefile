# make book | pdf | epub | address REPO=you/book | test | lab | check | run NB=02 | slides NB=02 | bench        (PYTHON=python3.12 make ... for another Python)

# The first of these that runs: a command may be there and still not start (as pyenv's).
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13; do $$p -c '' 2>/dev/null && break; p=python3; done; echo $$p)
# Where PyTorch's builds without CUDA are; used only on Linux and only if it answers.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
BIN = .venv/bin
# glibc keeps what a training step frees and hands it to the next one: a twelfth less time.
export MALLOC_MMAP_THRESHOLD_ = 1073741824
export MALLOC_TRIM_THRESHOLD_ = 4294967296
SITE = _build/built

.DEFAULT_GOAL = help
.PHONY: help book pdf epub address test lab check run slides bench clean

help:
	@sed -n 1p Makefile

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit(f"Python {v[0]}.{v[1]}: the book needs 3.11, 3.12 or 3.13; say PYTHON=...")'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off $$($(BIN)/python tests/torch_index.py $(TORCH_INDEX)) -r requirements.txt
	touch $@

# Folders are among what the site depends on, so that it is built again after a deletion.
$(SITE): .venv/installed _config.yml _toc.yml CHANGELOG.md CONTRIBUTING.md $(filter-out book,$(shell find book notebooks shared -not -path '*/.*' -not -path '*__pycache__*'))
	rm -rf _build
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	touch $@

book: $(SITE)
	@echo "The book is at file://$(CURDIR)/_build/html/index.html"

# Both need Chromium, and are offered in the download menu of every page.
pdf: $(SITE)
	$(BIN)/python -m book.press.pdf

epub: $(SITE)
	$(BIN)/python -m book.press.epub

# A fork's own address, once: make address REPO=you/your-book
address:
	$(PYTHON) -m book.address $(REPO)

# Two workers with a thread each, or WORKERS=1 THREADS=2: more than there are cores would wait.
WORKERS ?= 2
THREADS ?= 1
test: $(SITE)
	OMP_NUM_THREADS=$(THREADS) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10 --nbval tests notebooks

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

lab: .venv/installed
	$(BIN)/jupyter lab notebooks

run: .venv/installed
	$(BIN)/python -m tests.run $(NB)

slides: .venv/installed
	$(BIN)/python -m tests.slides $(NB)

bench: .venv/installed
	$(BIN)/python -m tests.benchmarks.table
	for name in gpt tokenfile shakespeare; do $(BIN)/python -m tests.benchmarks.bench_$$name || exit 1; done

clean:
	rm -rf .venv _build
