#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds one golden image, or re-uses it: the directory's name is a hash of everything it is made from.
#
#   build.sh --image mini|debian [--print|--check]
#
# Prints one line on stdout, the artifact directory; progress goes to stderr.
# --print only tells the directory; exit 3 when nothing is built there yet.
# --check only tells whether it could be built here: programs, rights, room on the disk.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mosrig/image

image='' print=no check=no
while [ $# -gt 0 ]; do
    case $1 in
    --image) image=${2-}; shift ;;
    --print) print=yes ;;
    --check) check=yes ;;
    *) echo "image: unknown option $1 (use --image mini|debian [--print|--check])" >&2; exit 2 ;;
    esac
    shift
done
case $image in
mini | debian) ;;
*) echo "image: --image must be mini or debian" >&2; exit 2 ;;
esac

say() { echo "image $image: $*" >&2; }
die() { echo "image $image: $*" >&2; exit 1; }

need_command() { # command, Debian package
    command -v "$1" >/dev/null || die "$1 is missing; run: make deps (package $2)"
}

need_room() { # MiB
    local free
    mkdir -p "$cache"
    free=$(df --output=avail -m "$cache" | tail -n 1 | tr -d ' ')
    [ "$free" -ge "$1" ] ||
        die "$cache has $free MiB free, $1 MiB are needed; free some space or set XDG_CACHE_HOME"
}

# Text of every file below the given trees with its mode: the part of the hash that lives in this repository.
tree_digest() {
    (cd "$here" && find "$@" -type f ! -name '*.pyc' -printf '%p %m\n' | LC_ALL=C sort |
        while read -r path mode; do
            # Only the executable bit counts: a checkout under another umask is the same input.
            if [ $((0$mode & 0100)) -ne 0 ]; then mode=x; else mode=-; fi
            printf '%s %s %s\n' "$path" "$mode" "$(sha256sum <"$path")"
        done)
}

# lay_tree NAME ROOT: copies a tree of this directory over a root file system, whatever the checkout's umask was.
lay_tree() {
    tar -c -C "$here/$1" --mode='u=rwX,go=rX' --owner=0 --group=0 . | tar -x -p --no-overwrite-dir -C "$2"
}

# Each image file defines: image_inputs (text to hash), image_artifact (file name), image_check (dies with
# a line if it cannot be built here), image_build DIR.
image_artifact=''
# shellcheck source=debian.sh
. "$here/$image.sh"

all_inputs() {
    tree_digest build.sh "$image.sh" common "$image"
    image_inputs
}

# Keeps the three images of this kind that were used last: a node that runs on an older one has it open.
prune() {
    find "$cache" -mindepth 1 -maxdepth 1 -type d -name "$image-*" -printf '%T@ %p\n' | sort -rn | sed '1,3d' |
        cut -d ' ' -f 2- | while read -r old; do rm -rf --one-file-system "$old"; done
}

# In a function that is read whole, so that an edit of this file does not confuse a build that runs.
main() {
    local inputs out started work
    if [ "$check" = yes ]; then
        image_check
        exit 0
    fi
    inputs=$(all_inputs)
    out=$cache/$image-$(sha256sum <<<"$inputs" | cut -c1-16)
    if [ -e "$out/$image_artifact" ]; then
        touch "$out"
        echo "$out"
        exit 0
    fi
    if [ "$print" = yes ]; then
        echo "$out"
        exit 3
    fi

    mkdir -p "$cache"
    # Two builders of the same image must not do the work twice.
    exec 9>"$cache/.$image.lock"
    flock 9
    # What a killed build left: nobody else is at it while the lock is ours.
    rm -rf --one-file-system "$cache/.$image"-??????
    if [ ! -e "$out/$image_artifact" ]; then
        started=$SECONDS
        work=$(mktemp -d "$cache/.$image-XXXXXX")
        # shellcheck disable=SC2064 # its value of now
        trap "rm -rf --one-file-system '$work'" EXIT
        mkdir "$work/out"
        image_check
        image_build "$work/out"
        [ "$(all_inputs)" = "$inputs" ] || die "its files were edited while it was built; run it again"
        printf '%s\n' "$inputs" >"$work/out/inputs"
        # One rename makes it appear whole: an interrupted build leaves nothing that looks finished.
        mv -T "$work/out" "$out"
        say "built in $((SECONDS - started)) s"
        prune
    fi
    echo "$out"
    exit 0
}

main
