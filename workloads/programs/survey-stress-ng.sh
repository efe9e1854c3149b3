#!/bin/sh
# SPDX-License-Identifier: MIT
# Which of stress-ng's stressors move, and why the others do not. Each is started alone, verifies what it does, is
# asked to go to another node and a second later called home. One line of a table in Markdown each.
#
#   survey-stress-ng.sh NODE [STRESSOR...]      run at the home node; all stressors take most of an hour, emulated
set -u
target=${1:?the number of the node to move to}
shift
LD_PRELOAD=$(dirname "$0")/private-memory.so
export LD_PRELOAD
cd /tmp || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
patience=4
over='over before it could be asked'
waits="not at a point to move within $patience s"

# Runs a stressor to its end; sets status.
still() {
    status=0
    timeout -k 5 60 stress-ng "--$1" 1 --verify --timeout 3s --quiet >/dev/null 2>&1 || status=$?
}

# The stressor's own process, which stress-ng starts and names; empty if there is none within two seconds.
find_child() {
    tries=0
    child=
    while [ -z "$child" ] && [ $tries -lt 20 ] && kill -0 "$1" 2>/dev/null; do
        child=$(pgrep -P "$1" '^stress-ng-' | head -n 1)
        [ -n "$child" ] || sleep 0.1
        tries=$((tries + 1))
    done
}

# Asks a process to move and, a second later, calls it home; sets outcome.
ask() {
    said=$(LD_PRELOAD='' migrate -t $patience "$1" "$target" 2>&1)
    answer=$?
    reasons=$(tr "\n" " " 2>/dev/null <"/proc/$1/cantmove") || reasons=gone
    case $answer,$reasons in
    0,*)
        outcome=moves
        case $said in *'come home again'*) outcome="moves, comes home by itself: ${said##*home again }" ;; esac
        sleep 1
        LD_PRELOAD='' migrate -t 20 "$1" home >/dev/null 2>&1
        ;;
    *,gone) outcome=$over ;;
    *,) outcome=$waits ;;
    *) outcome="stays: ${reasons% }" ;;
    esac
}

# Starts a stressor and asks it to move, or, where it only waits for a child of its own that does
# the work, that one; sets outcome and status.
moved() {
    stress-ng "--$1" 1 --verify --timeout 30s >"$log" 2>&1 &
    parent=$!
    find_child $parent
    if [ -z "$child" ]; then
        outcome=$over
    else
        ask "$child"
        worker=$(pgrep -P "$child" | head -n 1)
        if [ "$outcome" = "$waits" ] && [ -n "$worker" ]; then
            ask "$worker"
            outcome="$outcome (the child that works)"
        fi
    fi
    kill -INT $parent 2>/dev/null
    ( sleep 30; kill -KILL $parent ) 2>/dev/null &
    guard=$!
    wait $parent
    status=$?
    kill $guard 2>/dev/null
    if [ "$outcome" = "$over" ] && grep -q 'No stress workers invoked\|skipped: [1-9]' "$log"; then
        outcome='stress-ng itself leaves it out here'
    fi
}

verdict() {
    case $1 in
    0) echo verified ;;
    2) echo 'verification failed' ;;
    3 | 4) echo 'cannot run here' ;;
    *) echo "status $1" ;;
    esac
}

# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(stress-ng --stressors)
for stressor; do
    case $stressor in
    # random or privileged instructions, which end the emulator or the node instead of the process
    opcode | priv-instr | x86cpuid | smi | softlockup | cpu-online | reboot)
        echo "| $stressor | not tried | - |"
        continue
        ;;
    esac
    moved "$stressor"
    after=$(verdict $status)
    if [ "$status" -ne 0 ]; then
        still "$stressor"
        if [ "$(verdict $status)" = "$after" ]; then
            after="$after, as at home"
        else
            after="$after, BUT AT HOME: $(verdict $status)"
        fi
    fi
    echo "| $stressor | $outcome | $after |"
done
