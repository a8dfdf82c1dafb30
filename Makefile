# The ways to build, try and check blip2-train. `make` alone lists them.

PROGRAM := .build/release/blip2-train
# What make demo says of its runs, and where it puts that.
REPORT := .build/release/demo-report
DEMO := Checkpoints/demo
# What make bench measures: parts of rows' names, or all. PEER=1 installs PyTorch for comparison.
ROWS ?=
PEER ?=
# What make findings answers: see Scripts/findings.sh; or all.
QUESTIONS ?=
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-pretrained findings test check-all fuzz lint format install uninstall \
  check-docs check-export bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the system packages that are missing (Debian, Ubuntu) and check Swift
	@Scripts/setup.sh

build: setup ## build the program in release
	swift build -c release --product blip2-train

demo: build ## train both stages on the scenes in this repository, measure, show what they see
	swift build -c release --product demo-report
	$(PROGRAM) stage1 --config Configs/demo/stage1.yaml --resume auto
	@mkdir -p $(DEMO)
	set -o pipefail; $(PROGRAM) evaluate retrieval --checkpoint Checkpoints/demo-stage1 \
	  --answers $(DEMO)/retrieval.jsonl | tee $(DEMO)/retrieval.txt
	$(PROGRAM) evaluate retrieval --checkpoint Checkpoints/demo-stage1 \
	  --set data.validation.path=Data/demo/heldout-hard.jsonl --answers $(DEMO)/hard.jsonl
	$(REPORT) hard $(DEMO)/hard.jsonl --data Data/demo/heldout-hard.jsonl
	$(PROGRAM) stage2 --llm opt --config Configs/demo/stage2.yaml --resume auto
	$(PROGRAM) evaluate caption --checkpoint Checkpoints/demo-stage2-opt --beams 1 \
	  --answers $(DEMO)/captions.jsonl --show 12
	$(REPORT) captions $(DEMO)/captions.jsonl
	$(PROGRAM) evaluate vqa --checkpoint Checkpoints/demo-stage2-opt \
	  --questions Data/demo/questions.json --answers $(DEMO)/answers.jsonl
	$(REPORT) vqa $(DEMO)/answers.jsonl --questions Data/demo/questions.json
	$(REPORT) sheet --captions $(DEMO)/captions.jsonl --retrieval $(DEMO)/retrieval.jsonl \
	  --hard $(DEMO)/hard.jsonl --questions Data/demo/questions.json \
	  --answers $(DEMO)/answers.jsonl --output $(DEMO)/report.html
	@echo "look at $(DEMO)/report.html"

demo-pretrained: build ## fetch public weights and drawings, train a MiniLM-sized Q-Former on them
	Data/make-pretrained.sh
	$(PROGRAM) stage1 --config Configs/pretrained/emoji.yaml --resume auto
	$(PROGRAM) stage1 --config Configs/pretrained/clipart.yaml --resume auto
	$(PROGRAM) evaluate retrieval --checkpoint Checkpoints/pretrained-clipart
	$(PROGRAM) caption --checkpoint Checkpoints/pretrained-clipart --min-tokens 3 --max-tokens 12 \
	  --image Data/pretrained/clipart/000[0-7].webp
	$(PROGRAM) stage2 --config Configs/pretrained/stage2.yaml --resume auto
	$(PROGRAM) evaluate caption --checkpoint Checkpoints/pretrained-stage2 --beams 3 \
	  --max-new-tokens 12 --show 20

findings: build ## the paper's findings on the scenes, three seeds each; QUESTIONS=objectives picks
	swift build -c release --product demo-report
	Scripts/findings.sh $(QUESTIONS)

test: setup lint ## check the format, build without warnings, run all tests
	@Scripts/test.sh

fuzz: setup ## give every reader 10,000 damaged files; see Scripts/fuzz.sh
	@Scripts/fuzz.sh

check-all: test ## all tests, and what takes longer: fuzzing, odd places, random kills, plainer processors
	@Scripts/check-all.sh

lint: ## check the format of the sources
	swift format lint --strict -r Sources Tests Package.swift

format: ## put the sources into that format
	swift format -i -r Sources Tests Package.swift

install: build ## install the program, completions and man pages; PREFIX=/usr/local
	@Scripts/setup.sh help2man
	@PREFIX="$(PREFIX)" Scripts/install.sh

uninstall: ## take away what install put there
	@PREFIX="$(PREFIX)" Scripts/install.sh --uninstall

check-export: build ## hold exported models against transformers (PyTorch from PyPI, about 4 GB)
	@Scripts/check-export.sh

check-docs: build ## run every command that README.md and Docs/ show
	@Scripts/check-docs.sh

bench: build ## measure the speed; PEER=1 installs PyTorch and compares; ROWS="stage1-fp32 opt" picks
	$(if $(PEER),Benchmarks/setup-peer.sh)
	Benchmarks/compare.sh $(ROWS)

clean: ## remove everything that was built
	rm -rf .build .build-tests .build-v3
