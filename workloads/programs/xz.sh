#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
command -v xz >/dev/null || { echo SKIP no xz on this node; exit 0; }
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cat /usr/local/lib/mosrig/workloads/[a-m]* 2>/dev/null >"$folder/in" || true
xz -6 -c "$folder/in" >"$folder/out"
md5sum <"$folder/out"
xz -d -c "$folder/out" | md5sum
xz -t "$folder/out"
