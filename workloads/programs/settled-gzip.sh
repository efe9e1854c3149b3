#!/bin/sh
# SPDX-License-Identifier: MIT
# One process that reads, computes and writes, and becomes gzip; what it wrote is digested beside it.
set -eu
command -v gzip >/dev/null || { echo SKIP no gzip on this node; exit 0; }
folder=$(mktemp -d)
cat /usr/local/lib/mosrig/workloads/* 2>/dev/null >"$folder/in" || true
mkfifo "$folder/out"
(md5sum <"$folder/out"; rm -r "$folder") &
exec gzip -n -9 -c "$folder/in" >"$folder/out"
