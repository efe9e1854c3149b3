# SPDX-License-Identifier: MIT
# The front door: every verb a person types. Each does what it needs first and skips what is up to date.
#
#   make cluster-up NODES=3 KERNEL=debug IMAGE=mini MUTANT=no-lock-inherit
#
# NODES=N  KERNEL=base|debug|DIRECTORY  IMAGE=debian|mini  MUTANT=NAME  override provision/cluster.yml.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export NODES KERNEL IMAGE MUTANT

prepare := provision/prepare
mosrig := build/mosrig
cluster_flags = $(if $(NODES),--nodes $(NODES)) $(if $(KERNEL),--kernel $(KERNEL)) \
	$(if $(IMAGE),--image $(IMAGE)) $(if $(MUTANT),--mutant $(MUTANT))

.PHONY: help deps kernel image build cluster-up cluster-status cluster-down conformance bench report \
	nightly test unit lint clean dev

help: ## Show this list
	@echo 'mosrig: a test rig for process-migration clusters. Verbs:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r verb text; do \
		printf '  make %-15s %s\n' "$$verb" "$$text"; done
	@echo 'Variables: NODES=N KERNEL=base|debug|DIRECTORY IMAGE=debian|mini MUTANT=NAME (default: provision/cluster.yml)'

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

conformance: ## Everything from nothing: packages, kernel, image, cluster, suite, report (root)
	@$(prepare) deps kernel image build
	@$(mosrig) conformance $(cluster_flags)

bench: ## Measure what a migration costs
	@$(prepare) deps kernel image build
	@$(mosrig) bench $(cluster_flags)

report: ## Write build/report from the last runs
	@$(prepare) deps build
	@$(mosrig) report

nightly: ## Both kernels, suite, benchmarks and mutants; a dated folder for each night
	@$(prepare) deps build
	@reports/nightly

test: ## Everything that can fail: lint, unit tests, the tier quick of the suite
	@$(prepare) deps kernel image build
	@$(MAKE) lint unit
	@$(mosrig) conformance --tier quick $(cluster_flags)

unit: ## Unit tests, with the sanitizers on
	@$(prepare) deps unit
	@ctest --preset test
	@python3 -m unittest discover -s provision -p '*_test.py'

lint: ## Check style and common mistakes
	@$(prepare) deps
	@.ci/lint

clean: ## Remove build/ (kernels and images stay in the cache)
	@rm -rf build

dev: ## After an edit in kernel/: rebuild, restart two mini nodes
	@IMAGE=mini $(prepare) deps image build
	@kernel/dev.sh
