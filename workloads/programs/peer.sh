#!/bin/bash
# SPDX-License-Identifier: MIT
# Somebody on node2 who talks to the server `io served` of node1 over one connection, from `begin` to `end`: then it
# is told whether every line was answered.
set -eu
folder=/tmp/mosrig-peer

talk() {
    local line=0 answer
    exec 3<>/dev/tcp/10.66.0.1/4711
    : >"$folder/talks"
    until [ -e "$folder/end" ]; do
        line=$((line + 1))
        echo "line $line" >&3
        read -r -t 20 answer <&3 || answer=nothing
        [ "$answer" = "10.66.0.2 line $line" ] || { echo "line $line: $answer"; return; }
    done
    echo 'all answered'
}

# Waits for a file of the folder; whoever called has a deadline.
await() {
    until [ -e "$folder/$1" ]; do
        sleep 0.1
    done
}

case $1 in
    begin)
        rm -rf "$folder"
        mkdir "$folder"
        # All that is of the rig's command ends with it.
        setsid "$0" talk </dev/null >/dev/null 2>&1 &
        await talks
        ;;
    talk)
        talk >"$folder/saying" 2>&1 || true
        mv "$folder/saying" "$folder/said"
        ;;
    end)
        : >"$folder/end"
        await said
        cat "$folder/said"
        ;;
esac
