# The ways to build, try and check blip2-train. `make` alone lists them.

PROGRAM := .build/release/blip2-train
BENCH_OPTIONS ?=
# A demo that was interrupted goes on where it was.
DEMO_RESUME = $(if $(wildcard Checkpoints/demo-stage1/step-*.h5),--resume)

.DEFAULT_GOAL := help
.PHONY: help setup build demo test fuzz lint format bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the system packages that are missing (Debian, Ubuntu) and check Swift
	@Scripts/setup.sh

build: setup ## build the program in release
	swift build -c release --product blip2-train

demo: build ## train on the pictures that ship with the repository, then measure retrieval
	$(PROGRAM) stage1 --config Configs/demo/stage1.yaml $(DEMO_RESUME)
	$(PROGRAM) evaluate retrieval --checkpoint Checkpoints/demo-stage1

test: setup lint ## check the format, build without warnings, run all tests
	@Scripts/test.sh

fuzz: setup ## give every reader 10,000 damaged files; see Scripts/fuzz.sh
	@Scripts/fuzz.sh

lint: ## check the format of the sources
	swift format lint --strict -r Sources Tests Package.swift

format: ## put the sources into that format
	swift format -i -r Sources Tests Package.swift

bench: build ## time a stage-1 step; options: make bench BENCH_OPTIONS="--batch 8"
	$(PROGRAM) bench stage1 $(BENCH_OPTIONS)

clean: ## remove everything that was built
	rm -rf .build .build-tests
