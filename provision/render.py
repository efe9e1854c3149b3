#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Resolves cluster.yml and the command line into one cluster, and renders all that a start needs.

Writes below --state: cluster.json (what was resolved), nodeK.xml (libvirt domain) and
seed/nodeK/etc/... (what makes each node itself). It starts nothing and changes nothing elsewhere.
Running it twice gives the same files.
Exit: 0 done, 2 wrong configuration or usage, 3 something that it needs is not built.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import jinja2

# A start leaves nothing in the checkout.
sys.dont_write_bytecode = True
from cluster_config import Config, ConfigError, apply_flags, load  # noqa: E402
from host_facts import (  # noqa: E402
    NotBuilt,
    apparmor_is_on,
    choose_ports,
    image_path,
    kernel_facts,
)

PROVISION = Path(__file__).resolve().parent
TEMPLATES = PROVISION / "templates"

USER_ADDRESS = "10.0.2.15"
FABRIC_NET = "10.66.0"

# Rendered into each node's seed: template -> path in the node. {image} is the kind of image.
SEED_FILES = {
    "openmosix.map.j2": "etc/openmosix.map",
    "hosts.j2": "etc/hosts",
    "hostname.j2": "etc/hostname",
    "network.j2": "etc/mosrig/network",
    "inittab-{image}.j2": "etc/inittab",
    "login.sh.j2": "etc/profile.d/openmosix-login.sh",
}


def mac(network: int, node_id: int) -> str:
    """Locally administered address of a node's card: network 0 is the user's, 1 the fabric."""
    return f"52:54:00:6d:{network:02x}:{node_id:02x}"


def kernel_cmdline(config: Config, image_kind: str) -> str:
    """What the kernel of every node is booted with."""
    # Warnings too, which "quiet" would hide: a WARNING or a report of lockdep has to reach the
    # console.
    words = ["console=ttyS0", "loglevel=5", "panic=-1", "oops=panic", "net.ifnames=0"]
    if config.accelerator == "tcg":
        # The emulated clock needs no calibration and no watchdog: boot time and false alarms.
        words += ["tsc=reliable", "no_timer_check"]
    if image_kind == "debian":
        words += ["root=/dev/vda", "rw", "rootfstype=ext4", "init=/usr/local/sbin/mosrig-init"]
    if config.mutant:
        words.append(f"openmosix.mutant={config.mutant}")
    return " ".join(words + config.extra_cmdline)


def resolve(config: Config, state: Path) -> dict[str, Any]:
    """The whole cluster as it goes into cluster.json."""
    image = {"kind": config.image, "path": str(image_path(config.image, config.image_path))}
    kernel = kernel_facts(config.kernel, config.kernel_dir)
    kernel["cmdline"] = kernel_cmdline(config, config.image)
    ports = choose_ports(state, config.cluster, len(config.nodes))
    nodes = []
    for node_id, (spec, port) in enumerate(zip(config.nodes, ports), start=1):
        name = f"node{node_id}"
        nodes.append(
            {
                "name": name,
                "id": node_id,
                "domain": f"{config.cluster}-{name}",
                "address": f"{FABRIC_NET}.{node_id}",
                "mac": mac(1, node_id),
                "user_mac": mac(0, node_id),
                "ssh_port": port,
                "vcpus": spec.vcpus,
                "memory_mib": spec.memory_mib,
                "profile": spec.profile,
                "unlock_logins": spec.unlock_logins,
                "cpu_without": spec.cpu_without,
                "xml": str(state / f"{name}.xml"),
                "console": str(state / "console" / f"{name}.log"),
                # Empty for an image that needs no disk.
                "overlay": str(state / f"{name}.qcow2") if config.image == "debian" else "",
                "seed": str(state / f"{name}.seed.tar"),
                "seed_dir": str(state / "seed" / name),
            }
        )
    return {
        "cluster": config.cluster,
        "hypervisor": config.hypervisor,
        "accelerator": config.accelerator,
        "kernel": kernel,
        "image": image,
        "mutant": config.mutant,
        "fabric": config.fabric,
        "fabric_socket": str(state / "fabric.sock"),
        "user_address": USER_ADDRESS,
        "nodes": nodes,
    }


def write_if_changed(path: Path, text: str) -> None:
    """Leaves an equal file alone, so that its time stamp tells of a change."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


def environment() -> jinja2.Environment:
    """Templates in which a misspelt name is an error, not an empty word."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: name is not None and name.endswith(".xml.j2"),
    )


def render(cluster: dict[str, Any], state: Path) -> None:
    """Writes every file; cluster.json last, since others take it as the sign of completeness."""
    templates = environment()
    privileged = cluster["hypervisor"].endswith(":///system")
    for node in cluster["nodes"]:
        values = {
            "cluster": cluster,
            "node": node,
            # As the caller, so that images and kernels in a private cache can be read; only the
            # system's libvirtd can be told, a session's runs everything as its user anyway.
            "run_as_caller": privileged,
            "caller": {"uid": os.getuid(), "gid": os.getgid()},
            "apparmor": privileged and apparmor_is_on(),
        }
        xml = templates.get_template("domain.xml.j2").render(values)
        write_if_changed(Path(node["xml"]), xml)
        for template, target in SEED_FILES.items():
            name = template.format(image=cluster["image"]["kind"])
            text = templates.get_template(name).render(values)
            write_if_changed(Path(node["seed_dir"]) / target, text)
    (state / "console").mkdir(parents=True, exist_ok=True)
    write_if_changed(state / "cluster.json", json.dumps(cluster, indent=2) + "\n")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line; a flag that is not given leaves cluster.yml's word."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = PROVISION / "cluster.yml"
    parser.add_argument("--config", type=Path, default=default, help="the cluster's file")
    parser.add_argument("--state", type=Path, help="directory to write to")
    parser.add_argument("--print", choices=["kernel", "image"], help="tell what is wanted, only")
    parser.add_argument("--cluster", help="name and tag of the cluster")
    parser.add_argument("--nodes", type=int, help="number of nodes")
    parser.add_argument("--kernel", help="base, debug or a directory with vmlinux")
    parser.add_argument("--kernel-dir", type=Path, help="where vmlinux and release are")
    parser.add_argument("--image", help="debian or mini")
    parser.add_argument("--image-path", type=Path, help="the image's file")
    parser.add_argument("--mutant", help="deliberate bug of the kernel to turn on")
    parser.add_argument("--accel", choices=["tcg", "kvm"], help="what was found to work; else tcg")
    parser.add_argument("--vcpus", type=int, help="CPUs of each node")
    parser.add_argument("--memory-mib", type=int, help="memory of each node")
    parser.add_argument(
        "--profile",
        action="append",
        metavar="[NODE=]WORD",
        help="open-boot or locked-boot, of all nodes or of one",
    )
    parser.add_argument(
        "--unlock-logins", action="store_true", help="what a login shell starts is not locked"
    )
    parser.add_argument(
        "--cpu-without",
        action="append",
        metavar="[NODE=]FEATURE",
        help="a feature that the CPU of all nodes, or of one, does not have",
    )
    parser.add_argument("--hypervisor", help="libvirt URI")
    parser.add_argument(
        "--cmdline", action="append", metavar="WORD", help="one more word for the kernel"
    )
    flags = parser.parse_args(arguments)
    if flags.state is None and flags.print is None:
        parser.error("--state is needed")
    return flags


def main(arguments: list[str]) -> int:
    """Parse, resolve, write."""
    flags = parse(arguments)
    try:
        config = apply_flags(load(flags.config), flags)
        if flags.print:
            print(getattr(config, flags.print))
            return 0
        state = flags.state.absolute()
        render(resolve(config, state), state)
    except ConfigError as error:
        print(f"render: {error}", file=sys.stderr)
        return 2
    except NotBuilt as error:
        print(f"render: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        # A write that fails for want of room names no file.
        remedy = "; free some space there" if error.errno == errno.ENOSPC else ""
        print(f"render: {error.filename or flags.state}: {error.strerror}{remedy}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
