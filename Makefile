# SPDX-License-Identifier: MIT
# The front door: every verb a person types. Each does what it needs first and skips what is up to date.
#
#   make cluster-up NODES=3 KERNEL=debug IMAGE=mini MUTANT=no-lock-inherit
#
# `make help` lists verbs and variables.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
export NODES KERNEL IMAGE MUTANT
# The kernel is built by a make of its own, which must not take our flags for its.
unexport MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL

prepare := provision/prepare
mosrig := build/mosrig
checked := build/test/mosrig
outcome := build/.outcome
cluster_flags = $(if $(NODES),--nodes $(NODES)) $(if $(KERNEL),--kernel $(KERNEL)) \
	$(if $(IMAGE),--image $(IMAGE)) $(if $(MUTANT),--mutant $(MUTANT))

# make ends with 2 whatever fails, but a failed case is to be told from a failed rig. Asked whether a target is
# up to date (-q), it ends with 1 for no, and recipe lines with a + are run all the same.
ifeq ($(MAKECMDGOALS),conformance)
MAKEFLAGS += --question
endif

.PHONY: help deps kernel image build cluster-up cluster-status cluster-down conformance conformance-run \
	bench report nightly test unit lint clean dev

help: ## Show this list
	@echo 'mosrig: a test rig for process-migration clusters. Verbs:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r verb text; do \
		printf '  make %-15s %s\n' "$$verb" "$$text"; done
	@echo 'Variables:'
	@printf '  %-27s %s\n' \
		'NODES=N' 'how many nodes (this and the next three: default from provision/cluster.yml)' \
		'KERNEL=base|debug|DIRECTORY' 'the kernel of them all' \
		'IMAGE=debian|mini' 'what they boot' \
		'MUTANT=NAME' 'a deliberate bug in the kernel' \
		'TIER=quick|full|night' 'of conformance and nightly: what is run' \
		"CASES='ID fail-* ...'" 'of conformance: these cases only' \
		"ALSO='fail-*,oom-full'" 'of conformance: cases of other tiers as well' \
		'QUICK=1' 'of bench and nightly: few samples'

deps: ## Install the Debian packages that the project needs (root)
	@$(prepare) deps

kernel: ## Build the migration kernel, or re-use it (KERNEL=base|debug)
	@$(prepare) deps kernel build

image: ## Build the node images, or re-use them (IMAGE=debian|mini for one)
	@$(prepare) deps images build

build: ## Build the rig, the tools and the workloads
	@$(prepare) deps build

cluster-up: ## Start the cluster
	@$(prepare) deps kernel image build
	@$(mosrig) up $(cluster_flags)

cluster-status: ## Show the nodes
	@$(prepare) deps build
	@$(mosrig) status

cluster-down: ## Stop the cluster and remove what it left
	@$(prepare) deps build
	@$(mosrig) down

conformance: conformance-run ## Everything from nothing: packages, kernel, image, cluster, suite, report (root)
	$(if $(filter 0,$(shell cat $(outcome))),,$(if $(filter 1,$(shell cat $(outcome))),,+)@exit $$(cat $(outcome)))

conformance-run:
	+@$(prepare) deps kernel image build
	+@set -f; status=0; $(mosrig) conformance $(cluster_flags) $(if $(TIER),--tier $(TIER)) \
		$(if $(ALSO),--also '$(ALSO)') $(CASES) || status=$$?; \
		echo $$status >$(outcome); \
		[ $$status -gt 3 ] || [ ! -e build/report/results.json ] || reports/render.py || [ $$status -ne 0 ] || echo 3 >$(outcome)

bench: ## Measure what a migration costs
	@$(prepare) deps kernel image build
	@$(mosrig) bench $(cluster_flags) $(if $(QUICK),--quick)

report: ## Write build/report from the last runs
	@$(prepare) deps build
	@$(mosrig) report

nightly: ## Both kernels, suite, benchmarks and mutants; a dated folder for each night
	@$(prepare) deps build
	@reports/nightly $(if $(TIER),--tier $(TIER)) $(if $(NODES),--nodes $(NODES)) $(if $(QUICK),--quick)

# One build for all of it: the suite is run by the rig that has the sanitizers. clang-tidy takes the time that the rest
# leaves idle.
test: ## Everything that can fail: lint, unit tests, the tier quick of the suite
	@$(prepare) deps kernel image unit
	@status=0; chrt --idle 0 .ci/lint tidy >build/tidy.log 2>&1 & tidy=$$!; \
		.ci/lint --no-tidy || status=1; $(MAKE) unit || status=1; \
		$(checked) conformance --tier quick --output build $(cluster_flags) || status=1; \
		reports/render.py || status=1; \
		IMAGE=mini $(prepare) image && MOSRIG=$(checked) .ci/leave-nothing || status=1; \
		wait $$tidy || status=1; cat build/tidy.log; exit $$status

unit: ## Unit tests, with the sanitizers on
	@$(prepare) deps unit
	@status=0; ctest --preset test || status=1; \
		for folder in provision reports kernel/tests .ci; do \
			/usr/bin/python3 -B -m unittest discover -s $$folder -p '*_test.py' || status=1; done; \
		exit $$status

lint: ## Check style and common mistakes
	@$(prepare) deps
	@.ci/lint

clean: ## Remove build/ (kernels and images stay in the cache)
	@rm -rf build

dev: ## After an edit in kernel/: rebuild, restart two mini nodes
	@IMAGE=mini $(prepare) deps image build
	@kernel/dev.sh
