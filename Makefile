# nova-ha: `make check` while you work, `make test` before you hand over, `make install` on a node.
# Say `make help` for the list.

PYTHON ?= python3
# What the agents' first line names; it has to read what install compiles.
NODE_PYTHON ?= /usr/bin/python3
PREFIX ?= /usr
DESTDIR ?=
CLUSTER_ARGS ?=
RACE_ARGS ?=

PACKAGES = $(DESTDIR)$(PREFIX)/lib/python3/dist-packages
# Pacemaker looks nowhere else for OCF agents; PREFIX moves it for packagers only.
OCF_AGENTS = $(DESTDIR)$(PREFIX)/lib/ocf/resource.d/novaha
FENCE_AGENTS = $(DESTDIR)$(PREFIX)/sbin
COMMANDS = $(DESTDIR)$(PREFIX)/sbin
SHARE = $(DESTDIR)$(PREFIX)/share/nova-ha

VENV = .venv
BIN = $(VENV)/bin
OCF_SCRIPTS = $(filter-out %.md,$(wildcard agents/*))
FENCE_SCRIPTS = $(filter-out %.md,$(wildcard fence/*))
COMMAND = bin/nova-ha
MODULES = $(wildcard lib bench containers tests)

.PHONY: help check format lint types unit test test-long docs bench bench-agents bench-scale cluster cluster-down demo install clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

check: format lint types unit ## format, lint, types, unit tests and agents: under two minutes

format: $(VENV)/ready
	$(BIN)/ruff format --check .

lint: $(VENV)/ready
	$(BIN)/ruff check .

types: $(VENV)/ready
	$(BIN)/mypy $(MODULES) $(OCF_SCRIPTS) $(FENCE_SCRIPTS) $(COMMAND)

unit: $(VENV)/ready
	$(BIN)/pytest -m "not cluster" -n auto --dist worksteal

test: check ## everything but the longest tests, the container cluster included: about an hour
	$(BIN)/pytest -m "cluster and not long" --timeout=1800 --maxfail=8 -rP --durations=40

test-long: check ## everything
	$(BIN)/pytest -m cluster --timeout=1800 -rP --durations=40

docs: ## draw the pages of docs/ that show the tables of the code
	PYTHONPATH=lib $(PYTHON) $(COMMAND) docs

bench: ## race against Masakari, classic InstanceHA and the floor; hours; RACE_ARGS=--quick: one round
	PYTHONPATH=bench:containers:lib $(PYTHON) -m race $(RACE_ARGS)

bench-agents: ## print what the agents cost, measured in the running container cluster
	$(PYTHON) bench/agents.py

bench-scale: $(VENV)/ready ## print what Pacemaker's scheduler costs with many computes; takes minutes
	$(BIN)/python bench/scale.py

cluster: ## build and start the container cluster; CLUSTER_ARGS go to `containers/cluster up`
	containers/cluster up $(CLUSTER_ARGS)

cluster-down: ## remove the container cluster
	containers/cluster down

demo: ## kill a compute of the container cluster and watch its instances come back
	containers/demo

install: ## put everything where Pacemaker looks for it; honours DESTDIR and PREFIX
	cd lib && find novaha -name '*.py' -exec install -D -m 0644 {} $(PACKAGES)/{} \;
	for agent in $(OCF_SCRIPTS); do install -D -m 0755 -t $(OCF_AGENTS) $$agent || exit; done
	for agent in $(filter fence/fence_%,$(FENCE_SCRIPTS)); do \
		install -D -m 0755 -t $(FENCE_AGENTS) $$agent || exit; done
	install -D -m 0755 -t $(COMMANDS) $(COMMAND)
	install -D -m 0755 -t $(SHARE)/alerts fence/nova_ha_alert
	install -D -m 0644 -t $(SHARE)/systemd packaging/systemd/40-nova-ha.conf
	find crm-config -path crm-config/goldens -prune -o -type f ! -perm -u+x \
		-exec install -D -m 0644 {} $(SHARE)/{} \;
	find crm-config -type f -perm -u+x -exec install -D -m 0755 {} $(SHARE)/{} \;
	$(NODE_PYTHON) -m compileall -q -f $(if $(DESTDIR),-s $(DESTDIR) -p /) $(PACKAGES)/novaha

# The stamp makes a half-made environment start over.
$(VENV)/ready: requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.13" \
		if sys.version_info < (3, 11) else 0)'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean: ## remove caches and the development environment
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build
	find . -name __pycache__ -prune -exec rm -rf {} +
