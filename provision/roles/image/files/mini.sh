# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The mini image: an initramfs of busybox and dropbear, up in seconds. Sourced by build.sh.

# shellcheck disable=SC2034 # read by build.sh
image_artifact=initramfs.cpio.gz
mini_programs=(/bin/busybox /usr/sbin/dropbear)

# Libraries the dynamic programs need, with the loader. busybox is static and lists none.
mini_libraries() {
    ldd "${mini_programs[@]}" 2>/dev/null | awk '$2 == "=>" { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' | sort -u
}

image_check() {
    need_command cpio cpio
    need_room 64
}

image_inputs() {
    need_command busybox busybox-static
    need_command dropbear dropbear-bin
    local path
    mapfile -t libraries < <(mini_libraries)
    for path in "${mini_programs[@]}" "${libraries[@]}"; do
        printf '%s %s\n' "$path" "$(sha256sum <"$path")"
    done
}

image_build() {
    local out=$1 root=$1/../root path name
    say "packing busybox and dropbear"
    mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,root,home/user,mnt,var/log,lib/x86_64-linux-gnu,lib64} \
        "$root"/etc/{dropbear,openmosix,mosrig,profile.d,init.d} "$root"/usr/{bin,sbin,local/{bin,sbin,lib}}
    ln -s ../run "$root/var/run"
    ln -s ../tmp "$root/var/tmp"
    chmod -R u=rwX,go=rX "$root"
    lay_tree common "$root"
    lay_tree mini "$root"
    chmod 1777 "$root/tmp"
    chmod 0700 "$root/root" "$root/etc/openmosix" "$root/etc/dropbear"

    cp -L /bin/busybox "$root/bin/busybox"
    busybox --list-full | grep / | while read -r path; do
        mkdir -p "$root/${path%/*}"
        name=$root/$path
        [ -e "$name" ] || ln -s /bin/busybox "$name"
    done
    # Scripts of the image may be named either way.
    ln -sf /bin/busybox "$root/bin/sh"
    cp -L /usr/sbin/dropbear "$root/usr/sbin/dropbear"
    for path in $(mini_libraries); do
        mkdir -p "$root/${path%/*}"
        cp -L "$path" "$root/$path"
    done
    : >"$root/var/log/lastlog"

    # No device nodes: the kernel's built-in initramfs has /dev/console, devtmpfs brings the rest, so this
    # needs no root. Level 1: the guest unpacks slowly under emulation, and size matters less than that.
    (cd "$root" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
        cpio --null --create --format=newc --owner=+0:+0 --reproducible --quiet) |
        gzip -1 -n >"$out/initramfs.cpio.gz"
    rm -rf "$root"
}
