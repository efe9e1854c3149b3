# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# bash completion of the openMosix tools. Needs nothing else: sourced by hand, from /etc/profile.d, or
# by the bash-completion package under the name of each tool.

_openmosix_nodes() {
    ls /proc/hpc/nodes 2>/dev/null
    awk '$1 ~ /^[0-9]/ { for (i = 2; i <= NF; i++) print $i }' /etc/hosts 2>/dev/null
}

_openmosix_pids() {
    local folder
    for folder in /proc/[0-9]*; do
        echo "${folder##*/}"
    done
}

# _openmosix_reply WORDS: those that begin as the word under the cursor does.
_openmosix_reply() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_openmosix_migrate() {
    local index=$COMP_CWORD
    [ "${COMP_WORDS[1]}" != -t ] || index=$((index - 2))
    case $index in
    1) _openmosix_reply "-t $(_openmosix_pids)" ;;
    2) _openmosix_reply "home balance $(_openmosix_nodes)" ;;
    esac
}

# For mosrun and all that runs a program: options first, then the program, then its own words.
_openmosix_run() {
    local at=1 options=''
    case ${COMP_WORDS[0]##*/} in
    mosrun) options='-h -F -l -L -k -c -i -n -s -f -t -d -e -E -r -R -z -j' ;;
    nomig | runhome) options='-z' ;;
    runon)
        if [ "$COMP_CWORD" -eq 1 ]; then
            _openmosix_reply "$(ls /proc/hpc/nodes 2>/dev/null)"
            return
        fi
        options='-z'
        at=2
        ;;
    *) options='-h -z' ;;
    esac
    while [ "$at" -lt "$COMP_CWORD" ]; do
        case ${COMP_WORDS[at]} in
        -t | -d | -j) at=$((at + 2)) ;;
        -*) at=$((at + 1)) ;;
        *) break ;;
        esac
    done
    if [ "$at" -lt "$COMP_CWORD" ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
    elif [[ ${COMP_WORDS[COMP_CWORD]} = -* ]]; then
        _openmosix_reply "$options"
    else
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}

_openmosix_mosctl() {
    if [ "$COMP_CWORD" -eq 1 ]; then
        _openmosix_reply 'stay nostay lstay nolstay block noblock quiet noquiet expel bring whois getload
            getspeed getutil getmem getfree status isup gettune getyard getdecay setspeed setyard setdecay'
    else
        _openmosix_reply "$(_openmosix_nodes)"
    fi
}

_openmosix_setpe() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -f) mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}") ;;
    -p) _openmosix_reply "$(ls /proc/hpc/nodes 2>/dev/null)" ;;
    -g) _openmosix_reply '0 1 2' ;;
    *) _openmosix_reply '-w -W -c -r -reload -off -f -p -g -n' ;;
    esac
}

_openmosix_plain() {
    case ${COMP_WORDS[0]##*/} in
    moswhy) _openmosix_reply "--all --json --root --help $(_openmosix_pids)" ;;
    mosmon) _openmosix_reply '-d -t --once --root --help' ;;
    mps) _openmosix_reply '-a -A -e -f -u -w -x -p aux --root --help' ;;
    mtop) _openmosix_reply '-b -d -n --root --help' ;;
    showmap) _openmosix_reply '--root --help' ;;
    esac
}

complete -F _openmosix_migrate migrate
complete -F _openmosix_run mosrun nomig runhome runon cpujob iojob nodecay slowdecay fastdecay
complete -F _openmosix_mosctl mosctl
complete -F _openmosix_setpe setpe
complete -F _openmosix_plain moswhy mosmon mps mtop showmap
