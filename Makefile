# The one door: every task of the project is a target here, and `make help` lists them.
# The recipes only call cargo and scripts; logic lives in scripts/, benches/compare/ and tests/.

CARGO ?= cargo
ROWS ?= 1000000
DAYS ?= 7
WORLD ?= esp
HEADER ?= usual
ROUNDS ?= 3
TARGET ?= splitter
SECONDS ?= 600
WINDOWS ?= 300
SEED ?= 2
BENCH := target/compare
INPUT := $(BENCH)/$(WORLD)-$(HEADER)-$(ROWS)-$(DAYS)d

# Own code hardly optimised, so that an edit is tested soon; dependencies are those of the release build.
QUICK := --config .cargo/quick.toml

# Tests that run over a store in a bucket as they do over one in a folder; those are left out that look at its files.
IN_BUCKET := alert:: forms:: headers:: ingest:: life:: privacy:: rollup:: rotation:: \
	--skip a_kill_at_any --skip verify_ --skip no_more_parts_than_threads --skip the_hashes_of_a_source \
	--skip a_second_run_waits_its_turn --skip no_address_of_a_recipient --skip was_compressed_is_read_once_more --skip a_quiet_run_says_nothing

.PHONY: help demo pictures test test-bucket test-fast test-cluster lint deny bench why fuzz golden ci dist dist-static test-dist release build-tools test-tools library python

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build-tools library ## build, and show a store of generated records up to now, in target/demo
	$(CARGO) build --release
	scripts/demo

pictures: library python ## make the pictures of the README anew from the samples
	$(CARGO) build --release
	.venv/bin/python scripts/pictures

test: test-tools library python ## run all the tests
	$(CARGO) test --release --workspace --no-fail-fast

test-bucket: test-tools library python ## run the tests of ingest, upkeep and privacy over stores in a bucket of moto's server
	PMTAQ_TEST_BUCKET=1 $(CARGO) test --release --workspace --test pmtaq -- $(IN_BUCKET)

test-fast: test-tools library python ## run the tests that take a few seconds each, while working
	$(CARGO) test --release $(QUICK) --workspace --lib --bins --tests -- --skip at_scale

test-cluster: library ## compare all questions with those of a Spark cluster and of Sail on this machine: ROWS=3000000 ENGINES="spark sail"
	$(CARGO) build --release -p pmtaq -p pmtaq-gen
	ROWS=$(if $(filter 1000000,$(ROWS)),3000000,$(ROWS)) scripts/test-cluster

lint: build-tools library ## check the format and run clippy, with warnings as errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

deny: ## check licences and advisories of the dependencies, if cargo-deny is installed
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check; \
	else echo "cargo-deny is not installed: cargo install cargo-deny --locked"; fi

bench: test-tools library python ## compare ingest with its peers: WORLD=esp HEADER=usual ROWS=1000000 DAYS=7 ROUNDS=3
	$(CARGO) build --release
	test -d $(INPUT) || { rm -rf $(BENCH)/part && $(CARGO) run --release -p pmtaq-gen -- --out $(BENCH)/part \
	--world $(WORLD) $(if $(HEADER),--header $(HEADER)) --rows $(ROWS) --days $(DAYS) && mv $(BENCH)/part $(INPUT); }
	.venv/bin/python benches/compare/ingest.py $(INPUT) --rounds $(ROUNDS)

why: build-tools ## measure how often `why` is right in three worlds: WINDOWS=300 SEED=2
	$(CARGO) run --release -p pmtaq-why --example evaluate-why -- --windows $(WINDOWS) --seed $(SEED)

fuzz: ## run a fuzz target: TARGET=splitter|time|address|template|header SECONDS=600
	scripts/fuzz $(TARGET) $(SECONDS)

golden: test-tools library python ## rewrite the expected outputs; read the diff before you commit it
	UPDATE=1 $(CARGO) test --release --workspace --no-fail-fast

ci: lint test test-bucket ## what .ci/run runs

dist: build-tools library ## build once and make packages in target/dist: wheel, tarball, .deb, .rpm, Containerfile
	scripts/dist

dist-static: build-tools ## make the tarball of one file, with DuckDB compiled into it; over half an hour on 2 cores
	scripts/dist --static

test-dist: ## install what `make dist` made on a bare Debian, and run it there (as root, with debootstrap, lintian and rpm)
	scripts/prepare dist
	target/dist/tools/bin/python -m pytest tests/dist --basetemp target/dist/test -p no:cacheprovider -v

release: ## make a draft of a release on GitHub with what is in target/dist: TAG=v0.1.0
	scripts/release $(TAG)

build-tools:
	@scripts/prepare build

test-tools:
	@scripts/prepare test

library: build-tools
	@scripts/fetch-duckdb

python: test-tools
	@scripts/venv
