# `make serve` and `make test` are all that a fresh clone needs. Variables: PYTHON (an interpreter, 3.11 or
# newer), VENV (where the packages go), PYTEST_ARGS (such as `-k token`).

VENV ?= .venv
BIN := $(VENV)/bin
SUITABLE := import sys, ensurepip, sqlite3; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" setup.cfg

.PHONY: docs help serve test lint bench crash streams payments conformance lock places schemas clean
.DELETE_ON_ERROR:

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile

serve: $(VENV)/.serve ## Serve on http://localhost:8000, with the database under data/
	@exec $(BIN)/python -m server serve

test: lint ## Run every check that CI runs
	@sh tests/provision.sh
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.test ## Check style, types and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test ## Measure against bare aiohttp, on this machine and in the same run
	$(BIN)/python -m bench

docs: $(VENV)/.test ## Build the documentation as a site, into build/site
	$(BIN)/python -m sphinx --builder html --nitpicky --fail-on-warning docs build/site

crash: $(VENV)/.test ## Kill the server in the middle of its work, 200 times over
	CRASH_ROUNDS=200 $(BIN)/python -m pytest tests/flows/test_crash.py $(PYTEST_ARGS)

payments: $(VENV)/.test ## Kill the server 100 times while bills are paid
	PAYMENT_ROUNDS=100 $(BIN)/python -m pytest tests/flows/test_payments.py tests/flows/test_payment_sessions.py $(PYTEST_ARGS)

streams: $(VENV)/.test ## Open 2,000 event streams at once, and say what they cost and how soon they hear
	STREAMS=2000 $(BIN)/python -m pytest tests/flows/test_streams.py tests/flows/test_listeners.py -s $(PYTEST_ARGS)

conformance: $(VENV)/.test ## Run the protocol's conformance suite, and write docs/conformance.md anew
	@sh tests/provision.sh
	$(BIN)/python -m tests.conformance.runs

lock: $(VENV)/.test ## Pin the newest versions that setup.cfg and package.json allow
	$(COMPILE) --output-file requirements/serve.txt
	$(COMPILE) --extra test --constraint requirements/serve.txt --output-file requirements/test.txt
	npm update --package-lock-only

places: $(VENV)/.test ## Make data/places.tsv anew of the zipcodes package
	PYTHONPATH=. $(BIN)/python tests/toolkit/make_places.py

schemas: $(VENV)/.test ## Make data/*.schema.json anew of the catalogue's types
	PYTHONPATH=. $(BIN)/python tests/catalogue/make_schemas.py

clean: ## Remove whatever these commands made, except the database
	rm -rf $(VENV) node_modules build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.serve: requirements/serve.txt
	@$(or $(PYTHON),false) -c '$(SUITABLE)' 2>/dev/null || { \
		echo "Python 3.11 or newer with its venv module is needed (on Debian: apt install python3-venv);" >&2; \
		echo "if it is not on the PATH, say where: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) $<
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.serve
	$(PIP) $<
	@touch $@
