# Everything a newcomer needs: `make demo` shows it at work, `make test` shows that it works.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
LOCK = uv pip compile pyproject.toml - --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --quiet \
	--custom-compile-command 'make lock'

FUZZ_SECONDS ?= 300

# The RTSP server of the tests, run by the system's Python.
GSTREAMER = /usr/lib/python3/dist-packages/gi:python3-gi \
	/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib:gir1.2-gst-rtsp-server-1.0 \
	/usr/lib/*/gstreamer-1.0/libgstapp.so:gstreamer1.0-plugins-base \
	/usr/lib/*/gstreamer-1.0/libgstrtpmanager.so:gstreamer1.0-plugins-good \
	/usr/lib/*/gstreamer-1.0/libgstx264.so:gstreamer1.0-plugins-ugly

.PHONY: help demo test soak system story bench fuzz lint schemas lock train clean

help: ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/demo.done ## broker, simulated sites and the daemon, live on the terminal
	$(BIN)/edge-fusion demo $(DEMO)

test: $(VENV)/dev.done $(VENV)/node-red.done ## lint, then all tests, against a real broker and real cameras
	@sh .ci/need mosquitto:mosquitto mosquitto_pub:mosquitto-clients promtool:prometheus $(GSTREAMER) \
		systemd-analyze:systemd shellcheck:shellcheck chromium:chromium
	$(MAKE) lint
	$(BIN)/pytest -q -n 3 --dist loadfile
	$(BIN)/pytest -q -s tests/chaos/test_overload.py
	$(MAKE) --jobs=3 --keep-going --output-sync $(CHAOS)

# Three at a time: most of what they do is wait. Overload needs the machine for itself.
CHAOS = $(filter-out tests/chaos/test_overload.py,$(wildcard tests/chaos/test_*.py))
.PHONY: $(CHAOS)
$(CHAOS):
	@$(BIN)/pytest -q -s $@

soak: $(VENV)/dev.done ## the tests that break things, for hours, with numbers
	@sh .ci/need mosquitto:mosquitto
	KILLS=100 RESTARTS=20 GONE_SECONDS=300 HALF_OPEN=6 FULL_SECONDS=60 DAMAGES=40 \
		OVERLOAD_SECONDS=60 PAYLOADS=1000000 SOAK_HOURS=10 SOAK_SPEED=20 SOAK_DAYS=30 \
		$(BIN)/pytest -q -s tests/chaos tests/soak

system: $(VENV)/dev.done ## the service under a real systemd, in containers of two Debian releases (root)
	@sh .ci/need debootstrap:debootstrap systemd-nspawn:systemd-container
	$(BIN)/pytest -q -rs tests/system

story: $(VENV)/dev.done ## what happens in one SEED of the simulation, in words
	@PYTHONPATH=tests $(BIN)/python -m simulation $(or $(SEED),0)

bench: $(VENV)/bench.done ## benchmarks, each a ratio against a floor or peer of the same run
	@sh .ci/need mosquitto:mosquitto $(GSTREAMER)
	$(BIN)/pytest -q -s tests/benchmarks

fuzz: $(VENV)/fuzz.done ## look for bytes that no decoder expects, for FUZZ_SECONDS in all
	cd tests && ../$(BIN)/python -m fuzz $(FUZZ_SECONDS)

lint: $(VENV)/dev.done ## ruff and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

schemas: $(VENV)/dev.done ## write deploy/schemas anew from the code
	mkdir -p deploy/schemas
	for name in alert window late silenced config; do \
		$(BIN)/edge-fusion schema $$name > deploy/schemas/$$name.json || exit 1; done

lock: ## renew the lock files (needs uv)
	printf 'hatchling\neditables\n' | $(LOCK) --extra demo --output-file requirements.lock
	printf 'hatchling\neditables\n' | $(LOCK) --extra demo --extra dev --output-file requirements-dev.lock
	printf 'hatchling\neditables\n' | $(LOCK) --extra demo --extra dev --extra bench --output-file requirements-bench.lock
	printf 'hatchling\neditables\n' | $(LOCK) --extra demo --extra dev --extra fuzz --output-file requirements-fuzz.lock

train: $(VENV)/dev.done ## make models/indoor-hazard anew from the simulator (fetches PyTorch)
	$(BIN)/pip install -q -e '.[train]'
	$(BIN)/edge-fusion train all --out models/indoor-hazard

clean: ## remove what was built
	rm -rf $(VENV) .system .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build

$(VENV)/bin/python:
	@sh .ci/need --venv $(PYTHON)
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.done: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/demo.done

# Node-RED, for the test of the flow in deploy/node-red. None of its packages runs a script here.
$(VENV)/node-red.done: tests/node_red/package.json tests/node_red/package-lock.json | $(VENV)/bin/python
	@sh .ci/need node:nodejs npm:npm
	@mkdir -p $(VENV)/node-red
	cp $^ $(VENV)/node-red
	npm ci --prefix $(VENV)/node-red --omit=optional --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(VENV)/fuzz.done: requirements-fuzz.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --no-deps --require-hashes -r requirements-fuzz.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/dev.done $(VENV)/demo.done

$(VENV)/bench.done: requirements-bench.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --no-deps --require-hashes -r requirements-bench.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/dev.done $(VENV)/demo.done
