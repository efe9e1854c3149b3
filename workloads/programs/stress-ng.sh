#!/bin/sh
# SPDX-License-Identifier: MIT
# Stressors that one process can run, each of which verifies what it computed. Those that use threads, locked memory
# or a real-time class stay at home by their nature, and are not here.
#
#   stress-ng.sh [STRESSOR...]
set -eu
command -v stress-ng >/dev/null || { echo SKIP no stress-ng on this node; exit 0; }
LD_PRELOAD=$(dirname "$0")/private-memory.so
export LD_PRELOAD
cd /tmp
[ $# -gt 0 ] || set -- cpu matrix qsort str bsearch heapsort malloc memcpy crypt hash vecmath zlib getrandom bigheap \
    context goto tsearch lsearch hsearch dup pipe null zero
failed=0
for stressor; do
    status=0
    # The rig looks at every process of the node, over and over: some hundred zombies are enough.
    said=$(stress-ng "--$stressor" 1 --zombie-max 300 --verify --timeout 3s --quiet 2>&1) || status=$?
    # The status tells of a few failures, or of those of a child, only in words.
    case $said in *fail:*) status="$status, failed: $said" ;; esac
    echo "$stressor $status"
    [ "$status" = 0 ] || failed=1
done
exit $failed
