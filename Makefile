# Everything a newcomer types. Only Python >= 3.11 and make are needed; pip uses whatever index it is configured with.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
HOST ?= 127.0.0.1
PORT ?= 8000

# A moved or copied checkout gets a new environment: scripts and the editable install hold the path.
HERE := $(shell printf %s '$(CURDIR)' | cksum | cut -d' ' -f1)
RUN_READY := $(VENV)/.ready-run-$(HERE)
TEST_READY := $(VENV)/.ready-test-$(HERE)
CATALOGS := $(patsubst %.po,%.mo,$(shell find experience surveys probes -name '*.po'))

PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-build-isolation --use-pep517
export PIP_ROOT_USER_ACTION := ignore
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help run test check format bench screenshots catalog lock clean chromium
.DELETE_ON_ERROR:

help:  ## what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: $(RUN_READY) $(CATALOGS)  ## set up, fill an empty database with the demo, serve on 127.0.0.1:8000
	@$(BIN)/huisheng demo --if-empty
	@exec $(BIN)/huisheng serve --host $(HOST) --port $(PORT)

test: $(TEST_READY) $(CATALOGS) chromium  ## set up with Chromium, run every test
	$(BIN)/python -m pytest $(TESTS)

check: $(TEST_READY)  ## format, lint and types, as CI checks them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(TEST_READY)  ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(TEST_READY) $(CATALOGS)  ## rates over HTTP, time and weight of each page
	$(BIN)/huisheng bench http
	$(BIN)/huisheng bench pages

screenshots: $(TEST_READY) $(CATALOGS) chromium  ## take the pictures of the README again
	$(BIN)/python -m bench.screenshots

catalog: $(RUN_READY)  ## find new sentences that need their English
	$(BIN)/python -m experience.web.catalog

lock: $(RUN_READY)  ## pin the newest dependencies with their hashes
	$(BIN)/python -m venv build/lock
	build/lock/bin/python -m pip install --quiet pip-tools
	$(COMPILE) --all-extras --output-file requirements-dev.lock pyproject.toml
	$(COMPILE) --extra train --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml
COMPILE = CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links --generate-hashes --allow-unsafe

clean:  ## remove what can be made again; data in var/ stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage *.egg-info
	find analysis experience probes surveys tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(CATALOGS)

chromium: $(TEST_READY)
	@$(BIN)/python -m tests.chromium

$(RUN_READY): requirements.lock pyproject.toml | python
	$(call install,requirements.lock)

$(TEST_READY): requirements-dev.lock pyproject.toml | python
	$(call install,requirements-dev.lock)
	@touch $(RUN_READY)

# setuptools comes first, from the lock too: the few packages without a wheel are built with it, nothing unpinned is fetched.
# --no-deps: the lock is the whole closure. Left to resolve, the pip of Python 3.11 (23.2) meets an extra of a pinned package (coverage[toml]), looks
# at its newest release and refuses it for want of a pin, so that a fresh machine failed from the day a newer release came out.
define install
@test -f $(VENV)/.made-$(HERE) || { $(PYTHON) -m venv --clear $(VENV) && touch $(VENV)/.made-$(HERE); } || { $(say_venv); }
@echo "正在安装依赖 · installing what $(1) pins ..."
@sed -n '/^setuptools==/,/# via/p' $(1) > $(VENV)/setuptools.lock
@$(PIP) --require-hashes -r $(VENV)/setuptools.lock || { $(say_pip); }
@$(PIP) --require-hashes --no-deps -r $(1) || { $(say_pip); }
@$(PIP) --no-deps --no-index --editable .
@touch $@
endef

.PHONY: python
python:
	@test -n "$(PYTHON)" || { $(say_python); }
	@test -w . || { $(say_folder); }
	@test "$$(df -Pk . | awk 'NR == 2 {print $$4}')" -gt 1000000 || test -f $(VENV)/.made-$(HERE) || { $(say_disk); }

%.mo: %.po | $(RUN_READY)
	@$(BIN)/python -m babel.messages.frontend --quiet compile --input-file $< --output-file $@

say_python = echo "需要 Python 3.11 或更高版本：请安装后重试，或用 make PYTHON=/路径/python3.12 指定。"; \
	echo "Python 3.11 or newer is needed: install it, or name it: make PYTHON=/path/to/python3.12"; exit 1
say_venv = echo "无法创建虚拟环境：Debian/Ubuntu 请先运行 apt-get install python3-venv（以 root 身份）。"; \
	echo "No virtual environment could be made: on Debian/Ubuntu run apt-get install python3-venv as root first."; exit 1
say_pip = echo "依赖安装失败（原因见上）：请检查网络和 pip 的软件源设置（pip config list）后重试。"; \
	echo "Installing failed, see above: check the network and pip's index (pip config list), then try again."; exit 1
say_folder = echo "当前用户不能写入此文件夹：请换用户，或复制一份到自己的目录。"; \
	echo "This folder is not writable for you: use another user, or copy it to a place of your own."; exit 1
say_disk = echo "磁盘空间不足：安装需要约 1 GB，请先清理。"; echo "The disk is nearly full: about 1 GB is needed."; exit 1
