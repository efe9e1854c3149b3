#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
command -v bc >/dev/null || { echo SKIP no bc on this node; exit 0; }
echo 'scale=1500; 4*a(1)' | bc -l | md5sum
echo '2^9000 % 10^30; scale=300; sqrt(2); e(1)' | bc -l
echo 'define f(n) { if (n < 2) return (n); return (f(n-1) + f(n-2)); } f(17)' | bc
