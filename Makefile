# Sitewarden: `make demo`, `make test`, `make check`. Needs Python 3.11 or newer, python3-venv and make.
# The environment lies in .venv and is built from hash-locked requirements; it is rebuilt when a lock's content changes.

PYTHON ?= python3
ARGS ?=
COVERAGE_FLOOR ?= 80
# Compiled modules are kept: hundreds of tests start a gateway of their own, and compiling its modules is a third of a start.
export PYTHONDONTWRITEBYTECODE :=
# More test processes than two cores: for half of their time tests wait for a wire, a server or a clock.
JOBS ?= 4

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
content = $(shell cat $(1) | cksum | tr ' ' '-')
RUNTIME := $(VENV)/.runtime-$(call content,requirements-demo.lock)
DEV := $(VENV)/.dev-$(call content,requirements-dev.lock pyproject.toml)
BUILD_VENV := build/venv
BUILD := $(BUILD_VENV)/.build-$(call content,requirements-build.lock)
TRAINING_VENV := .venv-training
TRAINING := $(TRAINING_VENV)/.training-$(call content,requirements-training.lock requirements-training-torch.lock)
# In the order in which they are begun: folders of long tests first, so that no worker is left with one at the end.
TESTS := $(wildcard $(addprefix tests/,deploy e2e browser desk requirements wire contract cases properties faults unit))
# Where the tests lie that need the machine for themselves (marked `alone`).
ALONE := tests/faults tests/browser tests/wire
# A process that had to be ended would get the same test again, and the next process too.
SIDE_BY_SIDE = -n $(JOBS) --dist loadfile --no-loadscope-reorder --max-worker-restart 1

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate --no-header

.PHONY: help demo docs wheel sbom check-wheels test coverage check train test-training bench bench-desk soak screenshots clean lock system-packages
.DELETE_ON_ERROR:

help:
	@echo "make demo    two cranes, a pit, a mast, a broker, a gateway and a regulator on this machine (ARGS=\"--headless --seconds 30 --json\")"
	@echo "make wheel   build dist/sitewarden-VERSION-py3-none-any.whl; make sbom: its bills of materials (CycloneDX)"
	@echo "make check-wheels   are all locked packages to be had for x86-64 and aarch64, Python 3.11 to 3.14? (uv, network)"
	@echo "make test    install the servers that the tests need (apt-get, when allowed) and run every test"
	@echo "make coverage   the same tests, and which branches they never take"
	@echo "make check   ruff, mypy --strict, import contracts, the house, documents and glossary; make docs   the documents as a site"
	@echo "make train DATA=DIR START=yolox_nano.onnx   train the detector, export, measure, write its card (docs/training.md)"
	@echo "make screenshots   every screen into screenshots/, as a phone and a wall show it"
	@echo "make bench-desk ARGS=--quick   50 simulated sites, a storm of alarms and reviewers against the desk"
	@echo "make soak ARGS=--quick   a box under every fault that we know: what was lost, told twice or not told (root)"
	@echo "make bench   print figures; make lock   renew the locks; make clean   remove what was built"

demo: $(RUNTIME)
	@$(BIN)/python -m sitewarden demo $(ARGS)

# The same bytes from the same commit: files in the wheel carry the commit's time.
wheel: $(BUILD)
	@rm -rf dist/*.whl
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 1767225600) \
		$(BUILD_VENV)/bin/python -m pip --disable-pip-version-check --quiet wheel --no-deps --no-build-isolation --no-index --wheel-dir dist .
	@du -h dist/*.whl
	@echo "Install it with what a box needs: pip install '$$(ls dist/*.whl)[box]'    (or [desk], [demo]; docs/installing.md)"

sbom: $(DEV)
	@for extra in box desk demo; do $(BIN)/python .ci/make-sbom $$extra dist/sitewarden-$$extra.cdx.json || exit 1; done

check-wheels:
	@.ci/check-wheels

test: $(DEV) system-packages test-training
	TMPDIR=$$(.ci/scratch-folder) $(BIN)/python -m pytest $(TESTS) -m "not alone" $(SIDE_BY_SIDE)
	$(BIN)/python -m pytest $(ALONE) -m alone

# The same tests with every branch counted: twice the time on Python 3.11.
coverage: $(DEV) system-packages
	TMPDIR=$$(.ci/scratch-folder) $(BIN)/python -m pytest $(TESTS) -m "not alone" $(SIDE_BY_SIDE) --cov --cov-report=
	$(BIN)/python -m pytest $(ALONE) -m alone --cov --cov-append --cov-report=term --cov-fail-under=$(COVERAGE_FLOOR)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m bench.house
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/unit/test_glossary.py tests/unit/test_documents.py

# The documents as a site in build/docs; built and read without a network.
docs: $(DEV)
	$(BIN)/python -m mkdocs build --quiet
	@echo build/docs/index.html

# A training of a few seconds on drawn scenes, in the training's own environment.
test-training: $(TRAINING)
	$(TRAINING_VENV)/bin/python -m pytest -c tests/training/pytest.ini --rootdir . tests/training

# DATA: images/, labels/, sources.csv. START: exported YOLOX-Nano, or weights.pt of another training. OUT: checkpoints, log.
# Cut off, the same command goes on where it stopped. HOLD=blast leaves a set out and measures on it.
# FOLDS: choose thresholds on what other trainings left out.
# CAMERAS: pictures of fixed cameras. MEASURE: the folder of what HOLD leaves out.
OUT ?= data/training
MEASURE ?= $(DATA)
HOLD ?=
EPOCHS ?= 14
train: $(RUNTIME) $(TRAINING)
	@test -n "$(DATA)" -a -n "$(START)" || { echo "make train DATA=DIR START=yolox_nano.onnx [OUT=DIR] [HOLD=SETS] [EPOCHS=N]" >&2; exit 1; }
	$(TRAINING_VENV)/bin/python -m vision.training.manifest --data $(DATA) $(CAMERAS) --out $(OUT)
	$(TRAINING_VENV)/bin/python -m vision.training.train --data $(DATA) $(CAMERAS) --start $(START) --out $(OUT) --hold "$(HOLD)" --epochs $(EPOCHS) --resume $(ARGS)
	$(TRAINING_VENV)/bin/python -m vision.training.export $(OUT)/weights.pt $(OUT)/site_heads.onnx
	$(BIN)/python -m vision.training.thresholds $(OUT)/site_heads.onnx --data $(DATA) $(CAMERAS) --hold "$(HOLD)" $(if $(FOLDS),--folds $(FOLDS))
	$(BIN)/python -m sitewarden vision evaluate --model $(OUT)/site_heads.yaml --images $(MEASURE)/images --labels $(MEASURE)/labels --only $(OUT)/measured.txt --min-head-px 20 --json >$(OUT)/figures.json
	$(BIN)/python -m vision.training.card $(OUT)/site_heads.yaml "On $(or $(HOLD),pictures kept back)=$(OUT)/figures.json"

bench: $(DEV) system-packages
	$(BIN)/python -m bench $(ARGS)

# ARGS=--quick: 50 gateways in under two minutes.
bench-desk: $(DEV) system-packages
	@$(BIN)/python -m bench.desk $(ARGS)

# As root: disks of its own. ARGS=--quick: every fault once, some ten minutes; without it about three and a half hours.
soak: $(DEV) system-packages
	@$(BIN)/python -m bench.soak $(ARGS)

screenshots: $(DEV) system-packages
	$(BIN)/python -m bench.screenshots $(ARGS)

system-packages:
	@.ci/system-packages

lock:
	@command -v uv >/dev/null || { echo "uv is missing: $(PYTHON) -m pip install uv" >&2; exit 1; }
	$(COMPILE) --extra demo --output-file requirements-demo.lock pyproject.toml
	$(COMPILE) --extra box --constraint requirements-demo.lock --output-file requirements-box.lock pyproject.toml
	$(COMPILE) --extra desk --constraint requirements-demo.lock --output-file requirements-desk.lock pyproject.toml
	$(COMPILE) --extra dev --extra test --constraint requirements-demo.lock --output-file requirements-dev.lock pyproject.toml
	$(COMPILE) --constraint requirements-dev.lock --output-file requirements-training.lock requirements-training.in
	echo "hatchling>=1.27" | $(COMPILE) --constraint requirements-dev.lock --output-file requirements-build.lock -

clean:
	rm -rf $(VENV) $(TRAINING_VENV) build dist htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info data/demo
	find bench config contract docking drivers gateway kit regulator screens sitewarden tests vision -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "Building the environment $(VENV) with $$($(PYTHON) --version). This is done once." >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The demo needs no build backend: a .pth file puts the checkout on the environment's path.
$(RUNTIME): | $(BIN)/python
	@$(BIN)/python .ci/install-lock requirements-demo.lock >&2
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "sitewarden-checkout.pth").write_text(str(pathlib.Path.cwd()) + "\n")'
	@rm -f $(VENV)/.runtime-*
	@touch $@

$(DEV): | $(BIN)/python
	@$(BIN)/python .ci/install-lock requirements-dev.lock >&2
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.dev-*
	@touch $@

$(BUILD):
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "Building the environment $(BUILD_VENV). This is done once." >&2
	@rm -rf $(BUILD_VENV)
	@$(PYTHON) -m venv $(BUILD_VENV)
	@$(BUILD_VENV)/bin/python .ci/install-lock requirements-build.lock >&2
	@touch $@

# torch is wanted as its CPU build; where that is not to be had, whatever torch 2.13.0 the registry gives does too.
$(TRAINING):
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "building $(TRAINING_VENV)" >&2
	@rm -rf $(TRAINING_VENV)
	@$(PYTHON) -m venv $(TRAINING_VENV)
	@$(TRAINING_VENV)/bin/python -m pip install --quiet --require-hashes --requirement requirements-training.lock
	@$(TRAINING_VENV)/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements-training-torch.lock || { \
		echo "The CPU build of torch 2.13.0 for this Python is not to be had here; taking the registry's torch 2.13.0." >&2; \
		$(TRAINING_VENV)/bin/python -m pip install --quiet torch==2.13.0; }
	@touch $@
