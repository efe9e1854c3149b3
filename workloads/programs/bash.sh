#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
[ -n "${BASH_VERSION-}" ] || { command -v bash >/dev/null || { echo SKIP no bash on this node; exit 0; }; exec bash "$0"; }
set -eu
declare -A sums
for ((i = 0; i < 60000; i++)); do
    sums[$((i % 101))]=$((${sums[$((i % 101))]:-0} + i))
done
printf '%s\n' "${sums[@]}" | sort | md5sum
for word in one two three; do echo $word; done | while read -r line; do echo "<$line>"; done
factorial() {
    local n=$1
    if ((n < 2)); then echo 1; else echo $((n * $(factorial $((n - 1))))); fi
}
factorial 12
trap 'echo trapped' USR1
kill -USR1 $$
sleep 1 &
wait $!
echo "waited $?"
text=abc
[[ $text =~ b(.) ]] && echo "${BASH_REMATCH[1]}"
diff <(seq 1 100) <(seq 1 99; echo 100) && echo same
exit 5
