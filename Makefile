# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Every target installs what it needs. `make help` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=

.PHONY: help venv demo test check format bench sbom clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

venv: $(STAMP)  ## create .venv with the pinned dependencies

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## run the whole chain on this machine: make demo ARGS="--for 60s --headless"
	@$(BIN)/revier-bench demo $(ARGS)

test: $(STAMP)  ## run every test; half of the time they wait, so three at a time on two cores
	@$(BIN)/python -m pytest -n 3 --dist loadgroup $(ARGS)

check: $(STAMP)  ## format, lint, types, import contracts, tidy: seconds
	@$(BIN)/python tools/check.py

format: $(STAMP)  ## write the format and the safe lint fixes
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

bench: $(STAMP)  ## run every measurement and print figure, budget and peer
	@$(BIN)/revier-bench measure --all $(ARGS)

sbom: .build/sbom.json  ## write the bill of materials of what an operator installs

.build/sbom.json: pyproject.toml constraints.txt
	@$(PYTHON) -m venv --clear .build/sbom
	@.build/sbom/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt '.[gateway,provision]'
	@$(PYTHON) -m venv --clear .build/sbom-tool
	@.build/sbom-tool/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt cyclonedx-bom
	@.build/sbom-tool/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o $@ .build/sbom/bin/python
	@echo "$@: CycloneDX, $$(grep -c '"bom-ref"' $@) components"

clean:  ## remove what the targets made
	@rm -rf $(VENV) .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
