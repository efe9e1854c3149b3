# SPDX-License-Identifier: MIT
"""cluster.yml: read, checked, overridden by flags. A wrong word is named with where it stands."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import]

from host_facts import known_mutants

PROFILES = ("open-boot", "locked-boot")
IMAGES = ("debian", "mini")
FABRICS = ("switch",)
MAX_NODES = 32
MIN_MEMORY_MIB = 256


class ConfigError(Exception):
    """A wrong word in cluster.yml or on the command line."""


@dataclasses.dataclass
class Node:
    """What one node gets; memory in MiB."""

    vcpus: int = 1
    memory_mib: int = 2048
    profile: str = "open-boot"
    unlock_logins: bool = False
    cpu_without: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Config:
    """The cluster as asked for: paths not looked up, ports not chosen."""

    cluster: str = "mosrig"
    nodes: list[Node] = dataclasses.field(default_factory=list)
    image: str = "debian"
    kernel: str = "base"
    fabric: str = "switch"
    hypervisor: str = "auto"
    accelerator: str = "tcg"
    mutant: str = ""
    kernel_dir: Path | None = None
    image_path: Path | None = None
    extra_cmdline: list[str] = dataclasses.field(default_factory=list)
    # Kept apart until the number of nodes is final: --nodes may make node3 exist.
    defaults: Node = dataclasses.field(default_factory=Node)
    overrides: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    count: int = 2


def _node_with(base: Node, values: Any, where: str) -> Node:
    """A copy of `base` with the values of one mapping of the file."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be a mapping such as {{vcpus: 2}}")
    known = {field.name for field in dataclasses.fields(Node)}
    for key in values:
        if key not in known:
            words = ", ".join(sorted(known))
            raise ConfigError(f"{where} has the unknown key {key}; known: {words}")
    node = dataclasses.replace(base, **values)
    check_node(node, where)
    return node


def check_node(node: Node, where: str) -> None:
    """Refuses what no node can be."""
    if not isinstance(node.vcpus, int) or not 1 <= node.vcpus <= 16:
        raise ConfigError(f"{where}: vcpus must be 1 to 16, not {node.vcpus}")
    if not isinstance(node.memory_mib, int) or node.memory_mib < MIN_MEMORY_MIB:
        raise ConfigError(
            f"{where}: memory_mib must be at least {MIN_MEMORY_MIB}, not {node.memory_mib}"
        )
    if node.profile not in PROFILES:
        words = " or ".join(PROFILES)
        raise ConfigError(f"{where}: profile must be {words}, not {node.profile}")
    if not isinstance(node.unlock_logins, bool):
        raise ConfigError(f"{where}: unlock_logins must be true or false, not {node.unlock_logins}")
    lacks = node.cpu_without
    if not isinstance(lacks, list) or not all(
        isinstance(word, str) and re.fullmatch(r"[a-z0-9._-]+", word) for word in lacks
    ):
        raise ConfigError(f"{where}: cpu_without must be a list such as [avx2], not {lacks}")


def parse(text: str, where: str) -> Config:
    """The file's text as a Config whose nodes are not made yet; `where` is its name in messages."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{where} must be a mapping")
    known = {"cluster", "nodes", "node", "overrides", "image", "kernel", "fabric", "hypervisor"}
    for key in data:
        if key not in known:
            words = ", ".join(sorted(known))
            raise ConfigError(f"{where} has the unknown key {key}; known: {words}")
    config = Config(
        count=data.get("nodes", 2),
        defaults=_node_with(Node(), data.get("node", {}), f"{where}: node"),
        overrides=data.get("overrides") or {},
    )
    for key in ("cluster", "image", "kernel", "fabric", "hypervisor"):
        if key in data:
            setattr(config, key, str(data[key]))
    if not isinstance(config.overrides, dict):
        raise ConfigError(f"{where}: overrides must be a mapping of node names")
    config.overrides = {name: values or {} for name, values in config.overrides.items()}
    return config


def load(path: Path) -> Config:
    """Reads cluster.yml."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return parse(text, str(path))


def _profiles(config: Config, words: list[str]) -> None:
    """--profile locked-boot, or --profile node2=locked-boot."""
    for word in words:
        name, equals, profile = word.partition("=")
        if not equals:
            config.defaults.profile = name
            for values in config.overrides.values():
                values.pop("profile", None)
        else:
            config.overrides.setdefault(name, {})["profile"] = profile


def _cpus(config: Config, words: list[str]) -> None:
    """--cpu-without avx2, or --cpu-without node2=avx2, besides what the file has."""
    everywhere = [word for word in words if "=" not in word]
    config.defaults.cpu_without = [*config.defaults.cpu_without, *everywhere]
    for values in config.overrides.values():
        if "cpu_without" in values:
            values["cpu_without"] = [*values["cpu_without"], *everywhere]
    for word in words:
        name, equals, feature = word.partition("=")
        if equals:
            values = config.overrides.setdefault(name, {})
            values["cpu_without"] = [
                *values.get("cpu_without", config.defaults.cpu_without), feature]


def check_mutant(config: Config) -> None:
    """Refuses a bug that the kernel does not have: nothing would be on, and nothing seen."""
    known = known_mutants()
    if config.kernel not in ("base", "debug"):
        # Somebody's own kernel may have bugs of its own.
        known = [word for word in [config.mutant] if re.fullmatch(r"[a-z0-9-]+", word)] + known
    if config.mutant and config.mutant not in known:
        words = ", ".join(known)
        raise ConfigError(f"the kernel has no mutant called {config.mutant}; it has: {words}")


def apply_flags(config: Config, flags: argparse.Namespace) -> Config:
    """Puts the command line over the file, makes the list of nodes, and checks the whole."""
    if flags.nodes is not None:
        config.count = flags.nodes
    for name in ("cluster", "image", "kernel", "hypervisor", "mutant", "kernel_dir", "image_path"):
        if getattr(flags, name):
            setattr(config, name, getattr(flags, name))
    if flags.accel:
        config.accelerator = flags.accel
    if flags.vcpus is not None:
        config.defaults.vcpus = flags.vcpus
    if flags.memory_mib is not None:
        config.defaults.memory_mib = flags.memory_mib
    if flags.unlock_logins:
        config.defaults.unlock_logins = True
    config.extra_cmdline = list(flags.cmdline or [])
    _profiles(config, flags.profile or [])
    _cpus(config, flags.cpu_without or [])

    if not isinstance(config.count, int) or not 1 <= config.count <= MAX_NODES:
        raise ConfigError(f"nodes must be 1 to {MAX_NODES}, not {config.count}")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", config.cluster):
        raise ConfigError(f"cluster must be a short name of a-z, 0-9 and -, not {config.cluster}")
    if config.image not in IMAGES:
        raise ConfigError(f"image must be {' or '.join(IMAGES)}, not {config.image}")
    if config.fabric not in FABRICS:
        raise ConfigError(f"fabric must be {' or '.join(FABRICS)}, not {config.fabric}")
    check_mutant(config)
    if config.hypervisor == "auto":
        config.hypervisor = "qemu:///system" if os.geteuid() == 0 else "qemu:///session"

    check_node(config.defaults, "node")
    names = [f"node{number}" for number in range(1, config.count + 1)]
    for name in config.overrides:
        if not re.fullmatch(r"node[1-9][0-9]*", str(name)):
            raise ConfigError(f"overrides name {name}; nodes are called node1, node2, ...")
    config.nodes = [
        _node_with(config.defaults, config.overrides.get(name) or {}, f"overrides: {name}")
        for name in names
    ]
    return config
