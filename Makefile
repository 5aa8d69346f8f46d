# Needs Python 3.11+ and make, nothing else. `make help` lists what there is.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

NEWEST_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$each" $(NEWEST_ENOUGH) 2>/dev/null && echo "$$each" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input
INSTALLED := .venv/.installed
WITH_OCR := .venv/.installed-ocr
WITH_SENTENCE_TRANSFORMERS := .venv/.installed-sentence-transformers
ARGS ?=
ROW ?=

.DEFAULT_GOAL := help
.PHONY: help install install-ocr install-sentence-transformers run test crashes check bench openapi

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-30s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## Make .venv with the pinned packages (run and test do it by themselves)

install-ocr: $(WITH_OCR) ## Add the reading of photos of receipts (about 300 MB)

install-sentence-transformers: $(WITH_SENTENCE_TRANSFORMERS) ## Add torch, for models such as bge-m3

run: $(INSTALLED) ## Start everything; Ctrl-C stops it
	@exec $(BIN)/vek1-api run

# Those that start and kill whole services have the machine to themselves.
test: $(INSTALLED) ## Run the tests; ARGS="tests/stores -k slug" chooses
ifeq ($(ARGS),)
	@status=0; $(BIN)/pytest -n auto --dist loadfile --ignore tests/run --ignore tests/crashes \
		|| status=1; \
	$(BIN)/pytest tests/run tests/crashes || status=1; exit $$status
else
	@$(BIN)/pytest -n auto --dist loadfile $(ARGS)
endif

crashes: $(INSTALLED) ## Kill the product at its worst moments; write docs/crash-matrix.md
	@$(BIN)/pytest tests/crashes --write-page

check: $(INSTALLED) ## Everything that CI demands: style, types, walls, models, tests with coverage
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/python scripts/check_models.py
	$(BIN)/pytest -n auto --dist loadfile --cov --ignore tests/crashes $(ARGS)
	$(BIN)/pytest tests/crashes

bench: $(INSTALLED) ## Measure speed and answers against a floor; ROW=list measures one
	@$(BIN)/python -m bench $(ROW)

openapi: $(INSTALLED) ## Write openapi.json anew
	@$(BIN)/python scripts/write_openapi.py

.venv/bin/python:
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" $(NEWEST_ENOUGH); then \
		echo "vek1-api needs Python 3.11 or newer; make PYTHON=/path/to/python3.11 names one." >&2; \
		exit 1; \
	fi
	@"$(PYTHON)" -m venv .venv || { \
		rm -rf .venv; \
		echo "This Python has no venv; on Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; \
	}

$(INSTALLED): requirements/base.txt requirements/dev.txt pyproject.toml | .venv/bin/python
	@echo "Installing the pinned packages into .venv (about a minute, the first time) ..."
	@$(PIP) -r requirements/dev.txt
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(WITH_OCR): requirements/ocr.txt $(INSTALLED)
	@echo "Installing RapidOCR and its models into .venv ..."
	@$(PIP) -r requirements/ocr.txt
	@touch $@

$(WITH_SENTENCE_TRANSFORMERS): requirements/sentence-transformers.txt $(INSTALLED)
	@echo "Installing torch and sentence-transformers into .venv (large) ..."
	@$(PIP) -r requirements/sentence-transformers.txt
	@touch $@
