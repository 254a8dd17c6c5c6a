# Everything that people and CI do with the tree. `make help` lists the targets.
# Needs: Linux with python >= 3.11, a C compiler, make. The rest is put into .venv, or installed from Debian by .ci/need.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
PY := $(VENV)/bin/python
NEED := .ci/need
QUIET := .ci/quiet
KILLS ?= 100
FUZZ_RUNS ?= 20000
FUZZ_SECONDS ?= 60
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Recorded in the builds with its whole path, so that an import that rebuilds works outside the environment too.
export CYTHON := $(CURDIR)/$(VENV)/bin/cython
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BUILD_FILES := pyproject.toml meson.build meson.options cext/meson.build src/axcore/meson.build \
               src/axcore/_native/meson.build src/axcore/build_info.py.in
SANITIZE := -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
            '-Dc_args=-fno-sanitize-recover=all -fno-omit-frame-pointer'
SAN_ENV = LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
          ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Nothing that these load is native: to run them under sanitizers too finds nothing (tests/repo/test_manifest.py).
NOT_NATIVE := $(addprefix tests/property/test_,call_model.py door_model.py ledger_model.py sdp_ice.py)
NATIVE_TESTS := $(wildcard tests/unit/native tests/unit/wiegand tests/unit/rules tests/unit/osdp tests/unit/siren \
                           tests/unit/led tests/unit/audio tests/unit/rtp) \
                $(filter-out $(NOT_NATIVE),$(wildcard tests/property/test_*.py))

# The steps of `make check`, cheap ones first. Each is a target of its own. Two chains go on beside each other, for they
# measure no time, and so do the last two; those between want the machine for themselves.
FIRST := lint format
ONE := types stubs layers asan san-python
OTHER := fuzz-replay aarch64 coverage instructions
ALONE := bench-gate footprint
CHECKS := $(FIRST) $(ONE) $(OTHER) $(ALONE) kill wheel

.PHONY: help run test ctest pytest demo demo-siren demo-call demo-controller bench check check-one check-other $(CHECKS) bench-audio aec3 noise-training \
        bench-instructions-update fuzz fuzz-release osdp-release kill-release door-release build dev clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 28
	@echo "make check runs:            $(CHECKS)"

# --- what users do ------------------------------------------------------------------------------------------------

run: build ## a simulated door station on 127.0.0.1
	@$(VENV)/bin/axcore run a8207-ve --simulate

demo: build ## the manual's example, end to end, with a timeline
	@$(VENV)/bin/axcore demo

demo-siren: $(VENV)/.test build ## the siren manual's MQTT example, with a picture of the light and a recording
	@$(NEED) mosquitto samba asterisk-core-sounds-en-g722
	@$(PY) -m axcore.testing.demo_siren --out demo-siren

demo-call: $(VENV)/.test build ## the call button, a telephone that answers, a key that opens the door; what was heard
	@$(PY) -m axcore.testing.demo_call --out demo-call

demo-controller: build ## a door station as the OSDP reader of a door controller, with a picture of what happened
	@$(PY) -m axcore.testing.demo_controller --out demo-controller

# Two targets beside each other: the output of the second, build/<target>.log, after that of the first; what failed is last.
define beside
	mkdir -p build; $(MAKE) $(2) >build/$(2).log 2>&1 & second=$$!; trap 'kill $$second' INT TERM; \
	$(MAKE) $(1); first=$$?; wait $$second; second=$$?; \
	if [ $$first != 0 ] && [ $$second = 0 ]; then echo "$(2) passed: build/$(2).log"; else cat build/$(2).log; fi; \
	[ $$first = 0 ] && [ $$second = 0 ]
endef

test: ctest pytest ## build, C tests, then every Python test

check: dev $(FIRST) ## what CI adds to the tests: see the end of `make help`
	@$(call beside,check-one,check-other)
	@for step in $(ALONE); do $(MAKE) $$step || exit 1; done
	@$(call beside,kill,wheel)
	@echo "make check: all of these passed: $(CHECKS)"

check-one:
	@for step in $(ONE); do $(MAKE) $$step || exit 1; done

check-other:
	@for step in $(OTHER); do $(MAKE) $$step || exit 1; done

# --- environments and builds: stamps keep a second run short -------------------------------------------------------

$(VENV)/.build: pyproject.toml .ci/venv .ci/deps.py
	@.ci/venv $(VENV) build
	@touch $@

$(VENV)/.test: $(VENV)/.build
	@.ci/venv $(VENV) build test
	@.ci/venv $(VENV) build interop || { [ "$$CI" != true ] && echo "no OSDP peers here: tests and benches against them are skipped"; }
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	@.ci/venv $(VENV) dev
	@touch $@

build/.editable: $(BUILD_FILES) $(VENV)/.build
	@echo "building axcore"
	@mkdir -p build
	@$(PY) -m pip install -qq --no-build-isolation --no-deps -e .
	@touch $@

build: build/.editable
dev: $(VENV)/.dev build

# `build-<name>` trees: meson finds out by itself what has to be built again.
define setup
@rm -rf $(@D)
@$(QUIET) meson setup $(@D) $(1) || { rm -rf $(@D); exit 1; }
endef

build-c/build.ninja: $(VENV)/.build
	$(call setup,-Dpython=false -Dctests=true)

build-asan/build.ninja: $(VENV)/.build
	$(call setup,-Dctests=true $(SANITIZE) -Doptimization=1)

build-cov/build.ninja: $(VENV)/.build
	$(call setup,-Dctests=true -Dbuildtype=debug -Db_coverage=true)

build-fuzz/build.ninja: $(VENV)/.build .ci/clang.ini
	@$(NEED) clang-14 libclang-rt-14-dev llvm-14
	$(call setup,--native-file .ci/clang.ini -Dpython=false -Dfuzz=true $(SANITIZE))

build-aarch64/build.ninja: $(VENV)/.build .ci/aarch64.ini
	@$(NEED) gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
	$(call setup,--cross-file .ci/aarch64.ini -Dpython=false -Dctests=true)

# --- tests --------------------------------------------------------------------------------------------------------

ctest: build-c/build.ninja
	@$(PY) .ci/ctest.py build-c

pytest: $(VENV)/.test build
	@$(NEED) mosquitto asterisk-core-sounds-en-g722 kamailio sip-tester libopus0 baresip-core coturn
	@$(PY) .ci/tests.py

# --- checks -------------------------------------------------------------------------------------------------------

lint: dev
	@echo "== $@"; ruff check --quiet .

format: dev
	@echo "== $@"; ruff format --check --quiet . || { ruff format --check .; exit 1; }

types: dev
	@echo "== $@"; mypy

stubs: dev
	@echo "== $@"; MYPYPATH=src $(PY) -m mypy.stubtest axcore._native axcore.build_info --ignore-unused-allowlist --allowlist tests/repo/stubtest.txt

layers: dev
	@echo "== $@"; $(QUIET) $(PY) .ci/layers.py

asan: build-asan/build.ninja
	@echo "== $@: C tests and fuzz corpora under address and undefined-behaviour sanitizers"
	@$(PY) .ci/ctest.py build-asan

san-python: dev build-asan/build.ninja
	@echo "== $@: native and property tests with the sanitized extension"
	@$(NEED) libopus0
	@.ci/overlay .venv-asan build-asan
	@$(SAN_ENV) .venv-asan/bin/python -m pytest -q -p no:cacheprovider -p no:benchmark -o timeout=600 $(NATIVE_TESTS)

fuzz-replay: build-fuzz/build.ninja
	@echo "== $@: each libFuzzer target, its corpus and $(FUZZ_RUNS) inputs more"
	@$(QUIET) ninja -C build-fuzz && .ci/fuzz build-fuzz -runs=$(FUZZ_RUNS)

coverage: dev build-cov/build.ninja
	@echo "== $@: lines of cext reached by C and Python tests, at least 95 %"
	@$(NEED) libopus0
	@find build-cov -name '*.gcda' -delete
	@$(PY) .ci/ctest.py build-cov && .ci/overlay .venv-cov build-cov
	@.venv-cov/bin/python -m pytest -q -p no:cacheprovider -p no:benchmark -o timeout=600 $(NATIVE_TESTS)
	@gcovr --root . build-cov --filter cext/ --exclude cext/test/ --exclude cext/fuzz/ --gcov-suspicious-hits-threshold 0 --print-summary --fail-under-line 95

aarch64: build-aarch64/build.ninja
	@echo "== $@: C kernels built for 64-bit Arm, tests under emulation"
	@$(PY) .ci/ctest.py build-aarch64

instructions: dev build-c/build.ninja
	@echo "== $@: instructions of each kernel's reference workload, within 3 % of bench/instructions.toml"
	@$(NEED) valgrind
	@$(QUIET) ninja -C build-c && $(PY) bench/profile/instructions.py build-c

bench-gate: dev build-c/build.ninja
	@echo "== $@: ours against the peers of bench/gates.toml"
	@$(NEED) sox mosquitto libspeexdsp1
	@$(QUIET) ninja -C build-c && $(PY) bench/gate.py

footprint: build
	@echo "== $@: memory of a running device, and what it loads"
	@$(PY) bench/footprint.py --gate

kill: build
	@echo "== $@: $(KILLS) kills under load"
	@$(PY) tests/e2e/kill_loop.py --kills $(KILLS)

wheel: dev ## sdist, wheel from the sdist, smoke test of the wheel in a clean environment
	@echo "== $@"
	@$(NEED) git
	@rm -rf dist .venv-wheel && mkdir -p dist
	@$(QUIET) $(PY) -c 'import mesonpy; mesonpy.build_sdist("dist")'
	@$(PY) -m pip wheel -qq --no-build-isolation --no-deps -w dist dist/axcore-*.tar.gz
	@.ci/venv .venv-wheel
	@.venv-wheel/bin/python -m pip install -qq dist/axcore-*.whl 'pytest>=8'
	@cd tests/wheel && AXCORE_DIST=../../dist ../../.venv-wheel/bin/python -m pytest -q -p no:cacheprovider -c pytest.ini

# --- measuring and long runs --------------------------------------------------------------------------------------

bench: dev build-c/build.ninja ## all benches, with the table
	@$(QUIET) ninja -C build-c && $(PY) bench/gate.py --no-gate
	@$(PY) bench/footprint.py

bench-audio: dev build ## echo canceller, noise suppressor and peers, and the gain control, on the same scenes: two minutes (QUALITY=--quick: less)
	@$(NEED) $(addsuffix -g722,$(addprefix asterisk-core-sounds-,en it ru es fr)) libspeexdsp1 libwebrtc-audio-processing1
	@.ci/venv $(VENV) dev audio-bench
	@$(PY) bench/audio_quality.py $(QUALITY)
	@$(PY) bench/noise_quality.py $(QUALITY)
	@$(PY) bench/gain_quality.py $(QUALITY)

aec3: ## WebRTC's AEC3, to compare with: pip builds it from source, some minutes
	@.ci/venv $(VENV) audio-aec3

noise-training: dev ## learn the weights of the noise suppressor anew: an hour and a half, 6 GB
	@$(NEED) $(addsuffix -g722,$(addprefix asterisk-core-sounds-,en it ru))
	@.ci/venv $(VENV) dev noise-training
	@$(PY) bench/audio/noise_training.py

bench-instructions-update: dev build-c/build.ninja ## write bench/instructions.toml anew
	@$(NEED) valgrind
	@$(QUIET) ninja -C build-c && $(PY) bench/profile/instructions.py build-c --update

fuzz: build-fuzz/build.ninja ## live fuzzing, FUZZ_SECONDS for each target
	@$(QUIET) ninja -C build-fuzz && .ci/fuzz build-fuzz -max_total_time=$(FUZZ_SECONDS)

fuzz-release: build-fuzz/build.ninja ## 10 million inputs for each target, before a release
	@$(QUIET) ninja -C build-fuzz && .ci/fuzz build-fuzz -runs=10000000

osdp-release: build ## 10 million OSDP frames on a bad line, before a release
	@$(PY) bench/osdp_soak.py

kill-release: build ## 2,000 kills, before a release
	@$(PY) tests/e2e/kill_loop.py --kills 2000

door-release: build ## 5 million random steps of a door against its reference, before a release
	@AXCORE_DOOR_STEPS=5000000 $(PY) -m pytest -q -o timeout=3600 -k steps tests/property/test_door_model.py

clean: ## remove everything that make made
	@rm -rf .venv .venv-* build build-* dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
