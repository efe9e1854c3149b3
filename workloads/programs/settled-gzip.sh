#!/bin/sh
# SPDX-License-Identifier: MIT
# gzip reads, computes and writes; then what it wrote is digested.
set -eu
command -v gzip >/dev/null || { echo SKIP no gzip on this node; exit 0; }
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cat /usr/local/lib/mosrig/workloads/* 2>/dev/null >"$folder/in" || true
gzip -n -9 -c "$folder/in" >"$folder/out"
md5sum <"$folder/out"
