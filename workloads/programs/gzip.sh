#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cat /usr/local/lib/mosrig/workloads/[a-m]* 2>/dev/null >"$folder/in" || true
for level in 1 9; do
    gzip -n -$level -c "$folder/in" >"$folder/out"
    md5sum <"$folder/out"
    gunzip -c "$folder/out" | md5sum
done
