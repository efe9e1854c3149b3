# shellcheck shell=bash disable=SC2154 # build.sh sets cache and here
# SPDX-License-Identifier: MIT
# The Debian image: sysvinit with a real /etc/inittab, sshd and the real programs of the suite, as one ext4 file
# system without a partition table. Sourced by build.sh.

# shellcheck disable=SC2034 # read by build.sh
image_artifact=root.qcow2
debian_suite=bookworm
# Free room in the file system for what the nodes write, MiB. It costs nothing on the host until it is used.
debian_room_mib=1500

# Base: an init, a way in, the tools that boot scripts call.
debian_base=(sysvinit-core sysv-rc initscripts openssh-server iproute2 procps passwd util-linux)
# What the suite runs at home and moved.
debian_programs=(
    gcc libc6-dev python3 libpython3.11-testsuite gdb stress-ng sqlite3 perl openssl iperf3 bc xz-utils
    gawk strace vim-tiny less psmisc
    man-db
)
# What is run in each run level, in this order and one after the other: nodes have one CPU. The packages' own boot
# scripts set clocks and check and mount disks; a node has none of that to do (mosrig-init mounts).
debian_levels=(
    'S S hostname.sh mosrig-network mosrig-memory'
    '2345 S openmosix ssh mosrig-ready mosrig-pressure'
    '0 K openmosix halt'
    '6 K openmosix reboot'
    '1 K openmosix ssh'
)
# Kept out of the packages: what nobody reads in a node. The manual of openMosix comes with the seed.
debian_without=(doc man locale info)

# What the unpacked packages depend on.
debian_base_inputs() {
    printf '%s\n' "$debian_suite" "${debian_base[*]}" "${debian_programs[*]}" "${debian_without[*]}"
    # Programs built here statically and programs built in the guest must see one C library.
    # shellcheck disable=SC2016 # dpkg's format, not the shell's
    dpkg-query -W -f 'libc6 ${Version}\n' libc6
}

image_inputs() {
    debian_base_inputs
    printf '%s\n' "$debian_room_mib" "${debian_levels[*]}"
}

# The Debian mirrors this host's apt uses, as one-line sources, whatever form the host keeps them in.
host_sources() {
    # shellcheck disable=SC2016 # apt's format, not the shell's
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' |
        awk -v suite="$debian_suite" '
            $1 == "Debian" && ($3 == suite || index($3, suite "-") == 1) && $3 !~ /backports/ && !seen[$0]++ {
                print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $2, $3, $4
            }'
}

# Proxies and the like that the host's apt needs to reach its mirrors.
host_apt_options() {
    apt-config dump | grep '^Acquire::' | grep -v -E '^Acquire::(IndexTargets|Changelogs|CompressionTypes|Languages)'
}

# The packages, unpacked and configured, as a tar in the cache: an edit of a boot script need not fetch them again.
# Sets debian_base_tar. $1 is a work directory.
debian_make_base() {
    local work=$1 packages exclude=() name
    debian_base_tar=$cache/debian-base-$(debian_base_inputs | sha256sum | cut -c1-16).tar
    [ ! -e "$debian_base_tar" ] || return 0
    host_sources >"$work/sources.list"
    [ -s "$work/sources.list" ] || die "apt knows no mirror of Debian $debian_suite; run: apt-get update"
    host_apt_options >"$work/apt.conf"
    packages="${debian_base[*]} ${debian_programs[*]}"
    for name in "${debian_without[@]}"; do
        exclude+=("--dpkgopt=path-exclude=/usr/share/$name/*")
    done
    say "unpacking Debian $debian_suite (2 minutes)"
    mmdebstrap --mode=root --variant=minbase --format=tar --include="${packages// /,}" \
        --aptopt="$work/apt.conf" --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt=force-unsafe-io "${exclude[@]}" \
        "$debian_suite" "$work/base.tar" "$work/sources.list" >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; die "mmdebstrap failed (above); is the mirror reached? try: apt-get update"; }
    rm -f "$cache"/debian-base-*.tar
    mv "$work/base.tar" "$debian_base_tar"
}

image_check() {
    need_command mmdebstrap mmdebstrap
    need_command mke2fs e2fsprogs
    need_command qemu-img qemu-utils
    [ "$(id -u)" -eq 0 ] || die "needs root to make a root file system; run: sudo make image"
    need_room 5000
}

image_build() {
    local out=$1 work=$1/.. root=$1/../root size_kib
    debian_make_base "$work"
    say "setting it up"
    mkdir "$root"
    tar -x -p --numeric-owner --xattrs --xattrs-include='*' -f "$debian_base_tar" -C "$root"
    debian_setup "$root"
    chroot "$root" dpkg-query -W >"$out/packages"

    size_kib=$(du -s --apparent-size --block-size=1024 "$root" | cut -f 1)
    say "making the file system ($((size_kib / 1024)) MiB of files)"
    # No loop mount, no journal (a node's disk is thrown away), nothing left for the first mount to initialise.
    mke2fs -q -F -t ext4 -d "$root" -L root -m 0 -N 100000 -O '^has_journal,^metadata_csum' \
        -E lazy_itable_init=0,root_owner=0:0 "$work/root.ext4" \
        "$((size_kib * 115 / 102400 + debian_room_mib))M" >/dev/null
    rm -rf --one-file-system "$root"
    qemu-img convert -W -f raw -O qcow2 "$work/root.ext4" "$out/root.qcow2"
    rm -f "$work/root.ext4"
}

debian_setup() {
    local root=$1 name
    # What let apt reach the mirrors from here is of no use in a node, and tells of this host.
    rm -rf "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin \
        "$root"/etc/ssh/ssh_host_*
    : >"$root/etc/apt/sources.list"
    rm -f "$root"/etc/apt/sources.list.d/*
    lay_tree common "$root"
    lay_tree debian "$root"
    mkdir -p "$root/etc/mosrig" "$root/etc/inittab.d" "$root/usr/local/lib/mosrig"
    install -d -m 0700 "$root/etc/openmosix" "$root/root/.ssh"
    : >"$root/etc/machine-id"
    echo 'LANG=C.UTF-8' >"$root/etc/default/locale"
    # Nothing to mount: root is mounted by the kernel, the rest by mosrig-init.
    : >"$root/etc/fstab"
    chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 user
    debian_boot_order "$root"
}

# Fills /etc/rc?.d from debian_levels.
debian_boot_order() {
    local root=$1 line levels letter name number level words
    # No dependency-driven concurrency, whose tools take longer than these few scripts.
    : >"$root/etc/init.d/.legacy-bootordering"
    rm -f "$root"/etc/rc?.d/[SK]*
    for line in "${debian_levels[@]}"; do
        read -r levels letter words <<<"$line"
        number=0
        for name in $words; do
            number=$((number + 1))
            for level in $(fold -w 1 <<<"$levels"); do
                ln -s "../init.d/$name" "$root/etc/rc$level.d/$letter$(printf %02d $number)$name"
            done
        done
    done
}
