# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# bash completes the names of nodes and processes for the openMosix tools; they come with the seed.
if [ -n "${BASH_VERSION-}" ] && [ -r /usr/local/share/openmosix/completion.bash ]; then
    . /usr/local/share/openmosix/completion.bash
fi
