#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds the migration kernel and prints the directory that holds it.
#
# usage: kernel/build.sh --config base|debug [--print]
#
# The result is content-addressed: CACHE/kernel/CONFIG-HASH/{vmlinux,config,release},
# HASH over everything in kernel/ that goes into it. The tree that it is built in,
# CACHE/tree/CONFIG-HASH of the source and the patches, is kept, and only files of
# hpc/ that changed are copied into it: an edit there rebuilds that file and links.
# --print: print the directory if it is there, build nothing, exit 3 if it is not.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mosrig
config=base print_only='' jobs=$(nproc)

die() { echo "kernel/build.sh: $*" >&2; exit 3; }
say() { echo "kernel: $*" >&2; }

while [ $# -gt 0 ]; do
	case $1 in
	--config) config=${2:?--config needs base or debug}; shift ;;
	--print) print_only=1 ;;
	*) sed -n '3,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
	shift
done
[ -f "$here/configs/$config.config" ] || die "no such configuration: $config (base or debug)"

{ read -r package; mapfile -t tested; } < "$here/VERSION"
tarball=/usr/src/$package.tar.xz

hash_of() { (cd "$here" && for f in "$@"; do echo "$f"; cat "$f"; done) | sha256sum | cut -c1-12; }
mapfile -t patches < <(sed 's,^,patches/,' "$here/series")
mapfile -t ours < <(cd "$here" && find hpc uapi -type f | LC_ALL=C sort)
fragments=(configs/base.config)
[ "$config" = base ] || fragments+=("configs/$config.config")

version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) ||
	die "the package $package is not installed: run 'make deps'"
whole=$( (echo "$version"; hash_of VERSION series "${patches[@]}" "${ours[@]}" "${fragments[@]}" build.sh) |
	sha256sum | cut -c1-12)
out=$cache/kernel/$config-$whole
if [ -f "$out/vmlinux" ]; then
	touch "$out"
	echo "$out"
	exit 0
fi
[ -z "$print_only" ] || exit 3

printf '%s\n' "${tested[@]}" | grep -qxF "$version" ||
	say "note: $package $version is not one that this series was tested on (${tested[*]})"
[ -f "$tarball" ] || die "$tarball is missing: reinstall $package"
mkdir -p "$cache/kernel" "$cache/tree"
free=$(df --output=avail -k "$cache" | tail -n 1)
[ "$free" -gt 6000000 ] ||
	die "less than 6 GB free for $cache: free some space there, or set XDG_CACHE_HOME to a larger file system"
for tool in flex bison bc gcc make rsync; do
	command -v $tool > /dev/null || die "$tool is missing: run 'make deps'"
done

tree=$cache/tree/$config-$( (echo "$version"; hash_of series "${patches[@]}") | sha256sum | cut -c1-12)
exec 9> "$tree.lock"
flock 9

if [ ! -f "$tree/.mosrig-ready" ]; then
	say "unpacking $package $version"
	rm -rf "$tree"
	mkdir -p "$tree"
	tar -xf "$tarball" -C "$tree" --strip-components=1
	for p in "${patches[@]}"; do
		patch -d "$tree" -p1 -F0 --quiet < "$here/$p" >&2 ||
			die "$p does not apply to $package $version without fuzz"
	done
	touch "$tree/.mosrig-ready"
fi

mkdir -p "$tree/hpc"
rsync -rc --delete --exclude '*.o' --exclude '*.cmd' --exclude '*.a' --exclude modules.order \
	"$here/hpc/" "$tree/hpc/"
rsync -c "$here/hpc/openmosix.h" "$tree/include/linux/openmosix.h"
rsync -c "$here/uapi/openmosix.h" "$tree/include/uapi/linux/openmosix.h"

"$here/tests/rows.py" check "$tree/arch/x86/entry/syscalls/syscall_64.tbl" ||
	die "system calls of this kernel have no row: say in hpc/table.c what becomes of them"

log=$tree/build.log
fragment_hash=$(hash_of "${fragments[@]}" hpc/Kconfig)
if [ "$(cat "$tree/.mosrig-config" 2>/dev/null)" != "$fragment_hash" ]; then
	say "configuring ($config)"
	make -C "$tree" -s tinyconfig > "$log" 2>&1 || { tail -n 20 "$log" >&2; die "tinyconfig failed"; }
	(cd "$tree" && KCONFIG_CONFIG=.config scripts/kconfig/merge_config.sh -m .config \
		"${fragments[@]/#/$here/}" > "$log" 2>&1 && make -s olddefconfig >> "$log" 2>&1) ||
		{ tail -n 20 "$log" >&2; die "merging the configuration failed"; }
	# An option that kconfig dropped is a conformance row that tests nothing.
	missing=
	declare -A want=()
	while IFS='=' read -r name value; do
		want[$name]=$value
	done < <(cd "$here" && cat "${fragments[@]}" | grep '^CONFIG_')
	for name in "${!want[@]}"; do
		if [ "${want[$name]}" = n ]; then
			! grep -q "^$name=" "$tree/.config" || missing+=" $name=n"
		else
			grep -qxF "$name=${want[$name]}" "$tree/.config" || missing+=" $name=${want[$name]}"
		fi
	done
	[ -z "$missing" ] || die "kconfig did not accept:$missing"
	echo "$fragment_hash" > "$tree/.mosrig-config"
fi

say "building $config ($jobs jobs; the first time takes 6 to 10 minutes; log: $log)"
cc=gcc
command -v ccache > /dev/null && cc="ccache gcc"
start=$SECONDS
make -C "$tree" -j"$jobs" CC="$cc" KBUILD_BUILD_USER=mosrig KBUILD_BUILD_HOST=mosrig \
	LOCALVERSION="-openmosix-$config" vmlinux > "$log" 2>&1 9>&- &
pid=$!
while kill -0 $pid 2>/dev/null; do
	if ((SECONDS - start >= 30 && (SECONDS - start) % 30 == 0)); then
		say "$((SECONDS - start)) s, $(grep -c '^ ' "$log") steps"
	fi
	sleep 1
done
wait $pid || { grep -n -m 20 -A3 'error:\|Error \|undefined' "$log" >&2 || tail -n 20 "$log" >&2
	die "the build failed: $log"; }

tmp=$(mktemp -d "$cache/kernel/.new.XXXXXX")
strip -s -o "$tmp/vmlinux" "$tree/vmlinux" 2>/dev/null || cp "$tree/vmlinux" "$tmp/vmlinux"
cp "$tree/.config" "$tmp/config"
make -C "$tree" -s kernelrelease LOCALVERSION="-openmosix-$config" > "$tmp/release"
chmod 755 "$tmp"
rm -rf "$out"
mv "$tmp" "$out"
say "built $(cat "$out/release") in $((SECONDS - start)) s"
echo "$out"
