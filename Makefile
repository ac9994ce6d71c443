# `make demo`: a fresh machine to a composited picture.  `make test`: everything that is checked.
PYTHON ?= python3
BIN := .venv/bin
PIP := -m pip install --quiet --disable-pip-version-check
INSTALL := $(BIN)/python $(PIP) -c constraints.txt

.DEFAULT_GOAL := help

# It would be another checkout's that everything is installed into.
ifneq ($(shell test -L .venv && echo linked),)
$(error .venv is a symbolic link: remove it, and an environment of this checkout is made)
endif
.PHONY: help demo test check test-benchmarks test-conversion test-fleet test-notebook test-page test-phone test-wheel test-attack fuzz fuzz-server score gpu-test format docs clean

help:
	@echo "make demo             install, and put the sample portrait on a beach"
	@echo "make test             install with all extras, and run every check"
	@echo "make check            run every check, without installing anything"
	@echo "make test-benchmarks  run the scripts of benchmarks/ on a small scale"
	@echo "make test-conversion  import and export every kind of network, official ones too"
	@echo "make test-fleet       kill workers of a Ray cluster on this machine, in the middle of runs"
	@echo "make test-notebook    run the notebook of docs/ from its first cell to its last"
	@echo "make test-page        use the server's page in Chromium, as a person would"
	@echo "make test-phone       convert networks for LiteRT, in an environment of its own"
	@echo "make test-wheel       build the wheel, install it into an empty environment, run it there"
	@echo "make test-attack      attack it with damaged files, interruptions and full disks"
	@echo "make fuzz MINUTES=10  attack it for so long, by random and coverage-guided inputs, kills and full disks"
	@echo "make fuzz-server      send 10,000 requests to the server, made from its OpenAPI document"
	@echo "make score DATA=DIR   measure quality and speed on the listed pictures"
	@echo "make gpu-test         run the tests and benchmarks that need an NVIDIA GPU"
	@echo "make format           format the code, renew the generated documents"

demo: .venv/base
	@mkdir -p build/demo
	$(BIN)/python examples/draw_beach.py build/demo/beach.jpg
	$(BIN)/matte matte/media/samples/astronaut.jpg --bg build/demo/beach.jpg --quiet --overwrite \
		-o build/demo/astronaut-on-beach.png --mask build/demo/mask.png \
		--trimap build/demo/trimap.png --alpha build/demo/alpha.png
	@echo "The composite: $(CURDIR)/build/demo/astronaut-on-beach.png (mask, trimap and alpha beside it)"

test: .venv/all
	$(MAKE) check

check:
	$(BIN)/python tests/run_checks.py

test-benchmarks: .venv/all
	$(BIN)/pytest -m benchmarks

test-conversion: .venv/all
	OMP_NUM_THREADS=1 $(BIN)/pytest -m conversion tests/conversion

test-fleet: .venv/fleet
	OMP_NUM_THREADS=1 $(BIN)/pytest -m fleet tests/fleet tests/cli

test-notebook: .venv/notebook
	$(BIN)/pytest -m notebook tests/test_notebook.py

# Needs Debian's chromium, or another one of that name. Screenshots are left in build/page.
test-page: .venv/page
	@command -v chromium || command -v chromium-browser || { echo "no Chromium: apt-get install chromium"; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/pytest -m page tests/page

# Installs packages by pip's own index and cache.
test-wheel: .venv/all
	$(BIN)/pytest -m wheel

# LiteRT's converter wants other versions than constraints.txt: an environment of its own. Its anyio
# has a plugin for another pytest.
test-phone: .venv-phone/all
	OMP_NUM_THREADS=1 .venv-phone/bin/pytest -m phone -p no:anyio tests/conversion/test_phone_export.py

# Linux only. More of a kind: python tests/attack/run.py KIND --count N --seed S
test-attack: .venv/all
	$(BIN)/python tests/attack/run.py all

# For so many minutes; it prints what it did and found. atheris, which follows the coverage of matte's
# lines, has no wheel for every Python: without it, inputs are changed at random alone.
fuzz: .venv/all
	-$(BIN)/python $(PIP) --only-binary :all: atheris==3.0.0
	$(BIN)/python tests/attack/fuzz.py --minutes $(or $(MINUTES),10)

# schemathesis has an environment of its own. It takes ten minutes.
fuzz-server: .venv/all .venv-fuzz/all
	.venv-fuzz/bin/python tests/attack/server_fuzz.py --cases 5000

# On a machine with a GPU, in an environment with a torch built for it: make gpu-test BIN=…
# In eight minutes: what no time is left for, and what TensorRT's builder is missing for, is skipped.
gpu-test:
	timeout 120 $(BIN)/pytest -m gpu -n0 $$(grep -rl "mark.gpu" tests)
	timeout 200 $(BIN)/python benchmarks/gpu_clips.py --minutes 2.5
	timeout 160 $(BIN)/python benchmarks/gpu.py --minutes 2

# The frozen benchmark: DATA holds the data sets that benchmarks/lists names.
score:
	@test -n "$(DATA)" || { echo "name the folder with the data sets: make score DATA=FOLDER"; exit 2; }
	$(BIN)/python benchmarks/score.py "$(DATA)"

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/cog -r -P README.md docs/*.md

clean:
	rm -rf .venv .venv-fuzz .venv-phone build

.venv/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "matte needs Python 3.11 or later: make PYTHON=python3.12 …"'
	$(PYTHON) -m venv .venv

.venv/base: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e .
	@touch $@

# torch is installed first: on machines with a CPU wheel of it, nothing then asks for CUDA's.
.venv/all: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) torch
	$(INSTALL) -e '.[torch,train,classical,quantise,serve,webcam,exr,heif,stores,dev]'
	$(BIN)/python tests/mend_torchvision.py
	@touch $@ .venv/base

.venv/notebook: .venv/all
	$(INSTALL) -e '.[notebook]'
	@touch $@

.venv/fleet: .venv/all
	$(INSTALL) -e '.[fleet]'
	@touch $@

.venv/page: .venv/all
	$(INSTALL) playwright axe-playwright-python
	@touch $@

.venv-fuzz/all:
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python $(PIP) schemathesis==4.32.5
	@touch $@

.venv-phone/all: pyproject.toml constraints-phone.txt
	$(PYTHON) -m venv .venv-phone
	.venv-phone/bin/python $(PIP) -c constraints-phone.txt torch
	.venv-phone/bin/python $(PIP) -c constraints-phone.txt -e '.[phone]' pytest filelock hypothesis
	.venv-phone/bin/python tests/mend_torchvision.py
	@touch $@
