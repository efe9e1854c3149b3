#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
command -v gcc >/dev/null || { echo SKIP no gcc on this node; exit 0; }
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
for n in 1 2 3 4; do
    cat >f$n.c <<END
#include <stdlib.h>
#include <string.h>
int f$n(int x) { int s = 0; for (int i = 0; i < 1000; i++) s += (x ^ i) * $n; return s; }
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
void sort$n(int *values, size_t count) { qsort(values, count, sizeof *values, compare); }
END
    gcc -O2 -c f$n.c -o f$n.o
done
# One that the compiler proper is busy with for some seconds.
{
    echo '#include <math.h>'
    n=0
    while [ $n -lt 150 ]; do
        echo "double g$n(const double *a, int n) { double s = $n; for (int i = 0; i < n; i++)"
        echo "    for (int j = 0; j < i; j++) s += a[i] * a[j] > $n ? sqrt(a[j]) : a[i] - s * j; return s; }"
        n=$((n + 1))
    done
} >big.c
gcc -O2 -c big.c -o big.o
cat >main.c <<'END'
#include <stdio.h>
int f1(int), f2(int), f3(int), f4(int);
int main(void) { printf("%d\n", f1(1) + f2(2) + f3(3) + f4(4)); return 7; }
END
gcc -O2 main.c f1.o f2.o f3.o f4.o -o main
status=0
./main || status=$?
echo "status $status"
md5sum f?.o big.o
