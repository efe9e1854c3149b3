# SPDX-License-Identifier: MIT
"""What a start must know of this host: free ports, where the kernel and the image are."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import zlib
from pathlib import Path
from typing import Any

PROVISION = Path(__file__).resolve().parent
KERNEL = PROVISION.parent / "kernel"
KERNEL_BUILDER = KERNEL / "build.sh"
IMAGE_BUILDER = PROVISION / "roles" / "image" / "files" / "build.sh"
IMAGE_FILES = {"mini": "initramfs.cpio.gz", "debian": "root.qcow2"}
FIRST_PORT = 20000
LAST_PORT = 20999
PORTS_OF_A_RIG = 50


class NotBuilt(Exception):
    """Something that a verb of the Makefile has to make first; the text names the verb."""


def known_mutants() -> list[str]:
    """The deliberate bugs of our kernel: a bug's name stands where the bug is, and nowhere else."""
    sources = (path.read_text(encoding="utf-8") for path in (KERNEL / "hpc").glob("*.c"))
    call = re.compile(r'om_mutant\("([^"]+)"\)')
    return sorted({name for text in sources for name in call.findall(text)})


def apparmor_is_on() -> bool:
    """Whether libvirtd may confine guests to files it knows of; the fabric's socket is not one."""
    try:
        text = Path("/sys/module/apparmor/parameters/enabled").read_text(encoding="ascii")
    except OSError:
        return False
    return text.strip() == "Y"


def port_is_free(port: int) -> bool:
    """Whether QEMU could listen on the loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As QEMU does: a closed connection that lingers does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def process_lives(pid_file: Path) -> bool:
    """Whether the process that a pid file names is there."""
    try:
        os.kill(int(pid_file.read_text(encoding="ascii")), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def ports_in_use_by(state: Path, cluster: str) -> list[int]:
    """Ports of the cluster that runs from `state` now, by node; empty if none runs."""
    if not any(process_lives(path) for path in sorted(state.glob("*.pid"))):
        return []
    try:
        old = json.loads((state / "cluster.json").read_text(encoding="utf-8"))
        return [node["ssh_port"] for node in old["nodes"]] if old["cluster"] == cluster else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def choose_ports(state: Path, cluster: str, count: int) -> list[int]:
    """One loopback port a node: those of the running cluster, else free ones.

    Between this look and QEMU's own some seconds pass, so each state directory begins at another
    port: two rigs that start at once do not want the same ones.
    """
    ports = ports_in_use_by(state, cluster)[:count]
    room = LAST_PORT + 1 - FIRST_PORT
    begin = zlib.crc32(str(state).encode()) % (room // PORTS_OF_A_RIG) * PORTS_OF_A_RIG
    for step in range(room):
        if len(ports) >= count:
            break
        candidate = FIRST_PORT + (begin + step) % room
        if candidate not in ports and port_is_free(candidate):
            ports.append(candidate)
    if len(ports) < count:
        raise NotBuilt(
            f"no {count} free loopback ports from {FIRST_PORT} to {LAST_PORT}; free some"
        )
    return ports


def _ask(command: list[str], remedy: str) -> Path:
    """Runs a builder with --print: it names the directory; status 3 means not built."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(f"{command[0]} cannot be run: {error}") from error
    if done.returncode == 3:
        raise NotBuilt(done.stderr.strip() or remedy)
    if done.returncode != 0:
        words = f"{' '.join(command)} ended with status {done.returncode}"
        raise NotBuilt(done.stderr.strip() or words)
    return Path(done.stdout.strip())


def image_path(kind: str, given: Path | None) -> Path:
    """File of the image; `given` wins over the cache."""
    if given is not None:
        path = given.absolute()
    else:
        remedy = f"the {kind} image is not built; run: make image IMAGE={kind}"
        path = _ask([str(IMAGE_BUILDER), "--image", kind, "--print"], remedy) / IMAGE_FILES[kind]
    if not path.exists():
        raise NotBuilt(f"{path} does not exist; run: make image IMAGE={kind}")
    return path


def kernel_facts(kernel: str, given: Path | None) -> dict[str, Any]:
    """Directory, release and configuration of the kernel: base, debug or a directory."""
    if kernel in ("base", "debug"):
        name = kernel
        remedy = f"the {kernel} kernel is not built; run: make kernel KERNEL={kernel}"
        directory = given or _ask([str(KERNEL_BUILDER), "--config", kernel, "--print"], remedy)
    else:
        name = "custom"
        remedy = "name a directory that holds vmlinux (built with CONFIG_PVH) and release"
        directory = given or Path(kernel)
    directory = directory.absolute()
    if not (directory / "vmlinux").exists():
        raise NotBuilt(f"{directory / 'vmlinux'} does not exist; {remedy}")
    try:
        release = (directory / "release").read_text(encoding="utf-8").strip()
    except OSError:
        release = "unknown"
    return {"dir": str(directory), "release": release, "config": name}
