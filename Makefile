# Everything a person types here. Nothing is installed outside this directory.
#   make run            start the hub with the invented partnership        PORT=8480 VAR=directory
#   make test           install what tests need and run them               ARGS="-k name"
#   make check          style, types, import rules
#   make matrix         the sharing rule against its oracle, in one line
#   make sbom           what the hub is made of (CycloneDX)                SBOM=file
#   make audit          known weaknesses of that, where a network tells them
#   make attacks        the attacks on the log, and what finds each          ARGS=events
#   make tamper         what a thief can do to stored files, and what a reader gets
.DEFAULT_GOAL := run
.DELETE_ON_ERROR:

PYTHON ?= python3
VAR ?=
PORT ?=
ARGS ?=
SBOM ?= var/sbom.json
JOBS ?= 2

VENV := .venv
PY := $(VENV)/bin/python
HUB := $(VENV)/bin/hub
MADE := $(VENV)/.made
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
ASSETS := hub/static/vendor/.made
# inside, so that it goes with the packages when they are installed anew
FOR_TESTS := node_modules/.made-for-tests

.PHONY: run test check format matrix attacks tamper bench nightly sbom audit lock clean

run: $(RUN) $(HUB) $(ASSETS)
	@exec $(HUB) up --demo $(if $(VAR),--var '$(VAR)') $(if $(PORT),--port $(PORT))

test: $(DEV) $(HUB) $(ASSETS) $(FOR_TESTS)
	$(PY) -m pytest -n $(JOBS) --dist loadfile -m "not nightly and not timing" $(ARGS)
	$(PY) -m pytest -m "timing and not nightly" $(ARGS) || [ $$? -eq 5 ]  # by themselves; 5: ARGS chose none

check: $(DEV)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
	@if grep -q '^\[tool.djlint\]' pyproject.toml && [ -n "$$(find templates -name '*.html' -print -quit)" ]; then \
		echo "$(PY) -m djlint templates --lint"; $(PY) -m djlint templates --lint --quiet; fi

format: $(DEV)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

matrix: $(DEV) $(HUB)
	@HUB_TEST=1 $(PY) -m tests.access.matrix $(ARGS)

attacks: $(DEV) $(HUB)
	@HUB_TEST=1 $(PY) -m tests.audit.attacks $(ARGS)

tamper: $(DEV) $(HUB) $(ASSETS)
	@HUB_TEST=1 $(PY) -m tests.attachments.tampering $(ARGS)

bench: $(DEV) $(HUB) $(ASSETS) $(FOR_TESTS)
	$(PY) -m bench $(ARGS)
	$(PY) -m bench.clause
	$(PY) -m bench.log
	$(PY) -m bench.keys
	HUB_TEST=1 $(PY) -m bench.files
	HUB_TEST=1 $(PY) -m bench.door

nightly: $(DEV) $(HUB) $(ASSETS) $(FOR_TESTS)
	HUB_NIGHTLY=1 $(PY) -m pytest -m nightly -s $(ARGS) || [ $$? -eq 5 ]  # 5: there is none

sbom: $(DEV)
	@$(PY) .ci/sbom.py '$(SBOM)'

audit: $(DEV)
	@$(PY) .ci/audit.py

# New versions of the libraries, after a change in pyproject.toml or package.json.
lock: $(MADE)
	$(PY) -m uv pip compile -q --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
		pyproject.toml -o requirements/run.txt
	$(PY) -m uv pip compile -q --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
		--extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	npm install --package-lock-only

# What can be made again. Data under var/ stays.
clean:
	rm -rf $(VENV) node_modules hub/static/vendor .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find hub tests migrations bench -name __pycache__ -prune -exec rm -rf {} +

# The environment, with the installer in it when it can be had.
$(MADE): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; $(PYTHON) is older. Give another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "$(PYTHON) cannot make an environment: install python3-venv." >&2; exit 1; }
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt || \
		echo "Installing without uv, which takes longer." >&2
	@touch $@

# $(call install,list): with uv, trusting what the machine trusts or its own roots; else with pip.
define install
@echo "Installing the libraries of $(1) …" >&2
@uv="$(PY) -m uv pip install -q --python $(PY) --require-hashes -r $(1)"; \
	{ $(PY) -m uv --version >/dev/null 2>&1 && { $$uv --system-certs || $$uv; }; } || \
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes --prefer-binary -r $(1)
endef

$(RUN): requirements/run.txt $(MADE)
	$(call install,$<)
	@touch $@

$(DEV): requirements/dev.txt $(MADE)
	$(call install,$<)
	@touch $(RUN) $@

# What tests alone need, such as an identity provider: never a part of what runs.
$(FOR_TESTS): package-lock.json hub/launcher/assets.py $(ASSETS) | $(RUN)
	@$(PY) -m hub.launcher.assets --tests
	@touch $@

# The project itself: a path relative to the environment and a script beside it, so that the directory can be moved.
$(HUB): Makefile $(MADE)
	@site=$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && echo ../../../.. > "$$site/hub.pth"
	@printf '%s\n' '#!/bin/sh' 'here=$$(dirname "$$(readlink -f "$$0")")' 'exec "$$here/python" -m hub.cli "$$@"' > $@
	@chmod +x $@

$(ASSETS): package-lock.json hub/launcher/assets.py | $(RUN)
	@$(PY) -m hub.launcher.assets
	@touch $@
