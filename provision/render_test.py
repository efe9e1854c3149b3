# SPDX-License-Identifier: MIT
"""Tests of the renderer: run with `python3 -m unittest discover -s provision -p '*_test.py'`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import cluster_config
import host_facts
import render

QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"


class RenderTest(unittest.TestCase):
    """Whole runs of render.py with a made-up kernel and image."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="mosrig-render-")
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)
        self.state = self.root / "state"
        self.kernel = self.root / "kernel"
        self.kernel.mkdir()
        (self.kernel / "vmlinux").write_text("kernel")
        (self.kernel / "release").write_text("6.12.9-test\n")
        self.image = self.root / "image"
        self.image.write_text("image")
        self.config = self.root / "cluster.yml"
        self.config.write_text("cluster: mosrig\nnodes: 2\n")

    def run_render(self, *flags: str) -> tuple[int, str]:
        """Status and what was said on stderr."""
        words = ["--config", self.config, "--state", self.state, "--kernel-dir", self.kernel]
        words += ["--image-path", self.image, *flags]
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            status = render.main([str(word) for word in words])
        return status, said.getvalue()

    def cluster(self, *flags: str) -> Any:
        """cluster.json of a run that must succeed."""
        status, said = self.run_render(*flags)
        self.assertEqual((status, said), (0, ""))
        return json.loads((self.state / "cluster.json").read_text())

    def node_file(self, node: str, path: str) -> str:
        return (self.state / "seed" / node / path).read_text()

    def domain(self, node: str) -> xml.Element:
        return xml.parse(self.state / f"{node}.xml").getroot()

    def test_default_cluster_has_two_nodes_with_addresses_by_id(self) -> None:
        cluster = self.cluster()
        self.assertEqual([node["name"] for node in cluster["nodes"]], ["node1", "node2"])
        self.assertEqual([node["address"] for node in cluster["nodes"]], ["10.66.0.1", "10.66.0.2"])
        self.assertEqual(cluster["kernel"]["release"], "6.12.9-test")
        self.assertIn("init=/usr/local/sbin/mosrig-init", cluster["kernel"]["cmdline"])
        self.assertEqual(len({node["ssh_port"] for node in cluster["nodes"]}), 2)
        macs = [node[key] for node in cluster["nodes"] for key in ("mac", "user_mac")]
        self.assertEqual(len(set(macs)), 4)

    def test_second_run_changes_no_file(self) -> None:
        self.cluster()
        before = {path: path.stat().st_mtime_ns for path in self.state.rglob("*") if path.is_file()}
        self.cluster()
        after = {path: path.stat().st_mtime_ns for path in self.state.rglob("*") if path.is_file()}
        self.assertEqual(before, after)

    def test_map_and_hosts_name_every_node(self) -> None:
        self.cluster("--nodes", "3")
        lines = self.node_file("node2", "etc/openmosix.map").splitlines()
        self.assertEqual(lines[1:], ["1 10.66.0.1 1", "2 10.66.0.2 1", "3 10.66.0.3 1"])
        self.assertIn("10.66.0.3 node3\n", self.node_file("node1", "etc/hosts"))
        self.assertEqual(self.node_file("node3", "etc/hostname"), "node3\n")

    def test_locked_boot_runs_rc_lines_locked_but_not_the_getty(self) -> None:
        self.cluster("--profile", "node2=locked-boot")
        for line in self.node_file("node2", "etc/inittab").splitlines():
            if "/etc/init.d/rc" in line:
                self.assertIn(":/usr/local/bin/mosrun -h /etc/init.d/rc", line)
            if "getty" in line:
                self.assertNotIn("mosrun", line)
        self.assertNotIn("mosrun", self.node_file("node1", "etc/inittab"))

    def test_logins_are_unlocked_where_that_is_asked_for(self) -> None:
        line = "echo 0 >/proc/$$/lock"
        script = "etc/profile.d/openmosix-login.sh"
        self.cluster()
        self.assertNotIn(line, self.node_file("node1", script))
        self.cluster("--unlock-logins")
        self.assertIn(line, self.node_file("node1", script))

    def test_mini_boots_the_initramfs_without_a_disk(self) -> None:
        cluster = self.cluster("--image", "mini")
        self.assertEqual(cluster["nodes"][0]["overlay"], "")
        self.assertNotIn("root=", cluster["kernel"]["cmdline"])
        domain = self.domain("node1")
        self.assertEqual(domain.findtext("os/initrd"), str(self.image))
        disks = domain.findall("devices/disk")
        self.assertEqual([disk.findtext("serial") for disk in disks], ["seed"])
        self.assertIn("# /etc/inittab of the mini", self.node_file("node1", "etc/inittab"))

    def test_domain_reaches_only_loopback_and_the_fabric(self) -> None:
        cluster = self.cluster()
        words = [arg.get("value", "") for arg in self.domain("node1").iter(f"{QEMU}arg")]
        user = next(word for word in words if word.startswith("user,"))
        port = cluster["nodes"][0]["ssh_port"]
        self.assertIn("restrict=on", user)
        self.assertIn(f"hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:22", user)
        fabric = next(word for word in words if word.startswith("stream,"))
        self.assertIn(f"addr.path={cluster['fabric_socket']}", fabric)

    def test_debian_node_has_two_numa_cells_that_add_up(self) -> None:
        for vcpus in (1, 2, 3, 4):
            self.cluster("--vcpus", str(vcpus), "--memory-mib", "3073")
            cells = self.domain("node1").findall("cpu/numa/cell")
            self.assertEqual(sum(int(cell.get("memory", "0")) for cell in cells), 3073)
            cpus = []
            for cell in cells:
                first, _, last = cell.get("cpus", "").partition("-")
                cpus += list(range(int(first), int(last or first) + 1)) if first else []
            self.assertEqual(cpus, list(range(vcpus)))

    def test_mutant_goes_to_the_kernel(self) -> None:
        cmdline = self.cluster("--mutant", "no-lock-inherit")["kernel"]["cmdline"]
        self.assertIn("openmosix.mutant=no-lock-inherit", cmdline)

    def test_a_mutant_that_the_kernel_lacks_is_refused(self) -> None:
        status, said = self.run_render("--mutant", "no-lock-inherits")
        self.assertEqual(status, 2)
        self.assertRegex(said, "no mutant called no-lock-inherits; it has: .*no-lock-inherit")
        self.assertFalse(self.state.exists())
        self.assertEqual(self.run_render("--mutant", "his-own", "--kernel", str(self.kernel))[0], 0)

    def test_override_of_one_node(self) -> None:
        self.config.write_text("nodes: 2\noverrides: {node2: {memory_mib: 3072}}\n")
        self.assertEqual([node["memory_mib"] for node in self.cluster()["nodes"]], [2048, 3072])

    def test_a_node_may_lack_features_of_the_cpu(self) -> None:
        self.config.write_text("nodes: 2\noverrides: {node1: {cpu_without: [bmi1]}}\n")
        self.cluster("--cpu-without", "adx", "--cpu-without", "node2=avx2")
        for node, lacks in (("node1", ["bmi1", "adx"]), ("node2", ["adx", "avx2"])):
            features = self.domain(node).findall("cpu/feature")
            self.assertEqual([feature.get("name") for feature in features], lacks)
            self.assertEqual({feature.get("policy") for feature in features}, {"disable"})
        self.config.write_text("nodes: 2\n")
        self.cluster("--cpu-without", "adx")
        self.assertEqual(len(self.domain("node2").findall("cpu/feature")), 1)

    def test_wrong_words_are_named(self) -> None:
        for text, word in (
            ("nodez: 2", "nodez"),
            ("nodes: 0", "nodes must be 1 to 32"),
            ("node: {memory: 1}", "memory"),
            ("node: {profile: shut}", "shut"),
            ("node: {cpu_without: avx2}", "cpu_without must be a list"),
            ("node: {cpu_without: ['<']}", "cpu_without must be a list"),
            ("overrides: {knoten: {vcpus: 2}}", "knoten"),
            ("image: fedora", "fedora"),
            ("cluster: 'No way'", "No way"),
            ("nodes: [", "not valid YAML"),
            ("just words", "mapping"),
        ):
            with self.subTest(text=text):
                self.config.write_text(text)
                status, said = self.run_render()
                self.assertEqual(status, 2)
                self.assertIn(word, said)
                self.assertEqual(said.count("\n"), 1)

    def test_missing_kernel_names_the_remedy(self) -> None:
        (self.kernel / "vmlinux").unlink()
        status, said = self.run_render()
        self.assertEqual(status, 3)
        self.assertIn("make kernel", said)


class PortTest(unittest.TestCase):
    """Choice of loopback ports."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="mosrig-ports-")
        self.addCleanup(holder.cleanup)
        self.state = Path(holder.name)

    def test_taken_port_is_left_alone(self) -> None:
        port = host_facts.choose_ports(self.state, "mosrig", 1)[0]
        with socket.socket() as other:
            other.bind(("127.0.0.1", port))
            other.listen()
            self.assertNotIn(port, host_facts.choose_ports(self.state, "mosrig", 2))

    def write_cluster(self, pid: int) -> None:
        nodes = [{"ssh_port": 21901}, {"ssh_port": 21902}]
        (self.state / "cluster.json").write_text(json.dumps({"cluster": "mosrig", "nodes": nodes}))
        (self.state / "fabric.pid").write_text(f"{pid}\n")

    def test_running_cluster_keeps_its_ports(self) -> None:
        self.write_cluster(os.getpid())
        self.assertEqual(host_facts.choose_ports(self.state, "mosrig", 2), [21901, 21902])

    def test_ports_of_a_dead_cluster_are_forgotten(self) -> None:
        self.write_cluster(2**22 + 1)
        self.assertNotIn(21901, host_facts.choose_ports(self.state, "mosrig", 2))


class ShippedConfigTest(unittest.TestCase):
    """The cluster.yml that is in the repository."""

    def test_it_is_valid(self) -> None:
        config = cluster_config.load(Path(__file__).resolve().parent / "cluster.yml")
        self.assertEqual((config.count, config.image, config.kernel), (2, "debian", "base"))


if __name__ == "__main__":
    unittest.main()
