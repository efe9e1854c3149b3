#!/bin/sh
# SPDX-License-Identifier: MIT
# awk computes, and every now and then reads this file and writes: left to its end, that would be no call made away.
set -eu
exec awk -v text="$0" 'BEGIN {
    for (i = 0; i < 2000000; i++) {
        s = (s * 31 + i) % 65521
        if (i % 20000 == 0) {
            while ((getline line < text) > 0) s += length(line)
            close(text)
            print i, s
            fflush()
        }
    }
    print s
}'
