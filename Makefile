# Everything a developer or an engineer needs; `make help` lists it.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# A recorder is five processes: what they import is compiled once, also where containers are told not to keep that.
unexport PYTHONDONTWRITEBYTECODE
SYSTEM_PACKAGES := sip-tester tshark ffmpeg sox gcc libc6-dev postgresql chromium age openssl curl poppler-utils espeak-ng libbcg729-0 \
	libspandsp2 libopencore-amrnb0 libopencore-amrwb0 libvo-amrwbenc0
# Only where there is no mail server: it would take the place of one.
SYSTEM_PACKAGES += $(if $(wildcard /usr/sbin/sendmail),,exim4-daemon-light)

.PHONY: help demo run test faults thorough notice lint format bench walks screenshots soak fuzz lock system clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

$(VENV)/.installed: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "installing python3-venv"; apt-get update -q && apt-get install -y -q python3-venv; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	@$(BIN)/python -m compileall -q srs rtp
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.installed  ## start a recorder, record one call, show the file
	@$(BIN)/python -m srs.demo

run: $(VENV)/.installed  ## start the recorder
	@$(BIN)/srs serve

# Four at once on two cores: they wait more than they compute. Each takes module after module, and what it has to start
# for one it starts once; tests/conftest.py says which modules come first.
test: $(VENV)/.dev system  ## run all tests
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not slow"

faults: $(VENV)/.dev  ## kill processes under 100 calls and while 200 recordings are mailed, about 10 minutes
	$(BIN)/pytest tests/faults tests/handoff/test_kill.py

thorough: $(VENV)/.dev system  ## the other long forms: calls of an hour, death at every step, the whole API contract
	$(BIN)/pytest -n 4 --dist worksteal -m slow tests/archive/test_truth.py tests/capture/test_keeper.py tests/web/test_contract.py

notice: $(VENV)/.dev system  ## how well announcements are found, about 15 minutes; FIGURES=file
	NOTICE_FIGURES=$(FIGURES) $(BIN)/pytest -m slow tests/privacy/test_detect.py

lint: $(VENV)/.dev  ## check format, rules and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev  ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## what packets, calls and answers cost, beside a C floor; LONG=1, PLOT=file.svg, JSON=file
	$(BIN)/python -m benchmarks $(if $(LONG),--long) $(if $(PLOT),--plot $(PLOT)) $(if $(JSON),--json $(JSON))
	$(BIN)/python -m benchmarks.viewers

walks: $(VENV)/.dev system  ## walk every page and task in Chromium, in English and Dutch, at desktop and phone width, about 10 minutes
	SRS_WALKS=all $(BIN)/pytest -n 2 --dist loadfile -m browser tests/web

screenshots: $(VENV)/.dev system  ## pictures of every page in docs/screenshots, in English and Dutch, desktop and phone
	mkdir -p docs/screenshots
	SRS_SCREENSHOTS=$(CURDIR)/docs/screenshots $(BIN)/pytest -q -m browser tests/web

soak: $(VENV)/.dev  ## thousands of short calls; MINUTES=20
	PYTHONPATH=tests $(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),20)

fuzz: $(VENV)/.dev  ## mutated calls through all that reads a client's words; MINUTES=30
	cd tests && PYTHONPATH=.. ../$(BIN)/python -m fuzz.dialogs $(or $(MINUTES),30)

lock:  ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip install -q uv
	for set in "requirements.lock" "requirements-dev.lock --extra dev"; do set -- $$set; out=$$1; shift; \
	$(BIN)/uv pip compile -q --upgrade --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header $$@ pyproject.toml -o $$out; done

# The tests that need these programs are skipped aloud where they cannot be installed.
system:
	@missing=$$(dpkg-query -W -f='$${Status} $${Package}\n' $(SYSTEM_PACKAGES) 2>&1 | grep -v '^install ok' | grep -oE '[a-z0-9-]+$$' | tr '\n' ' '); \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ]; then apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing >/dev/null; \
		else echo "Some tests will be skipped; to run them: sudo apt-get install $$missing"; fi; fi

clean:  ## remove the environment and caches
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis benchmarks/build
