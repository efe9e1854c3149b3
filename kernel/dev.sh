#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The developer's loop: edit hpc/, run this, and two linked nodes run it.
#
# usage: kernel/dev.sh [mosrig up options]
#
# Rebuilds what changed, replaces a running cluster by two nodes of the mini
# image with the new kernel, and prints how long each step took.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mosrig=$top/build/mosrig
[ -x "$mosrig" ] || { echo "kernel/dev.sh: $mosrig is missing: run 'make dev'" >&2; exit 3; }

start=$SECONDS
step() { echo "dev: $((SECONDS - start)) s: $*"; }

kernel=$("$top/kernel/build.sh" --config base)
step "kernel $(cat "$kernel/release") in $kernel"
"$mosrig" down
"$mosrig" up --nodes 2 --image mini --kernel "$kernel" "$@"
step "two nodes are up and linked"
