#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
awk 'BEGIN { for (i = 0; i < 1500000; i++) a[i % 1009] = a[(i * 7) % 1009] + i
             for (i = 0; i < 1009; i++) print i, a[i] }' | md5sum
awk 'BEGIN { while (n++ < 100000) print n, sin(n), length(n * n) }' | sort -k2 | md5sum
