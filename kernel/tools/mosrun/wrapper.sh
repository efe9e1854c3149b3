#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The short ways to run a program with mosrun; the name of the script says which:
#   nomig      never moved by the system          runhome    at home, and locked there
#   runon N    on node N, and locked there        cpujob     declared to compute
#   iojob      declared to do input and output    nodecay, slowdecay, fastdecay
# Installed under each of these names. See mosrun(1).
name=${0##*/}
# mosrun is in the same folder, also where PATH does not say so (init).
case $0 in
*/*) mosrun=${0%/*}/mosrun ;;
*) mosrun=mosrun ;;
esac

usage() {
    case $name in
    runon) echo "usage: runon NODE [-z] program [argument...]" ;;
    nomig | runhome) echo "usage: $name [-z] program [argument...]" ;;
    *) echo "usage: $name [-h | -NODE] [-z] program [argument...]" ;;
    esac
}

if [ "${1-}" = --help ]; then
    usage
    exit 0
fi

case $name in
nomig) flags=-L ;;
runhome) flags='-h -L' ;;
runon)
    case ${1-} in
    '' | *[!0-9]*)
        usage >&2
        exit 125
        ;;
    esac
    flags="-$1 -L"
    shift
    ;;
cpujob) flags=-c ;;
iojob) flags=-i ;;
nodecay) flags=-n ;;
slowdecay) flags=-s ;;
fastdecay) flags=-f ;;
*)
    echo "$name: this script is to be called nomig, runhome, runon, cpujob, iojob, nodecay, slowdecay or fastdecay" >&2
    exit 125
    ;;
esac

if [ $# -eq 0 ]; then
    usage >&2
    exit 125
fi
# shellcheck disable=SC2086 # one or two words
exec "$mosrun" $flags "$@"
