# SPDX-License-Identifier: MIT
"""Tests of a node's init script, with a folder for / and programs that only tell of themselves."""

import pathlib
import signal
import subprocess
import tempfile
import textwrap
import unittest

SCRIPT = pathlib.Path(__file__).parent / "roles/image/files/common/etc/init.d/openmosix"


class InitScript(unittest.TestCase):
    """Its words, as far as they need no kernel."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        for name in ("bin", "run", "proc/hpc/admin", "etc/openmosix"):
            (self.root / name).mkdir(parents=True)
        for flag in ("block", "lstay", "expel"):
            self.flag(flag, 0)
        self.flag("mospe", 1)
        text = SCRIPT.read_text(encoding="utf-8")
        for old, new in (
            ("PATH=/usr/local/sbin:", f"PATH={self.root}/bin:/usr/local/sbin:"),
            ("daemon=/usr/local/sbin/omd", f"daemon={self.root}/bin/omd"),
            ("=/run/", f"={self.root}/run/"),
            ("/proc/", f"{self.root}/proc/"),
            ("/etc/openmosix/", f"{self.root}/etc/openmosix/"),
            ("/dev/openmosix", "/dev/null"),
            ("patience=120", "patience=1"),
        ):
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.script = self.root / "openmosix"
        self.script.write_text(text, encoding="utf-8")
        # expel and bring set what they set on a node; "slow" in the folder has one of them hang.
        self.program(
            "mosctl",
            f"""
            cd {self.root}/proc/hpc/admin
            case $1 in
            expel) echo 1 >block ;;
            bring) echo 1 >lstay ;;
            no*) echo 0 >"${{1#no}}" ;;
            esac
            [ ! -f {self.root}/slow-$1 ] || exec sleep 60
            """,
        )
        self.program("omd", f"echo 4000 >{self.root}/run/omd.pid; mkdir -p {self.root}/proc/4000")
        self.program("setpe", f"exit $(cat {self.root}/setpe-status)")
        (self.root / "setpe-status").write_text("0", encoding="utf-8")

    def program(self, name: str, body: str) -> None:
        """A program that writes what it was asked to the log first."""
        path = self.root / "bin" / name
        text = f'#!/bin/sh\necho "{name} $*" >>{self.root}/log\n{textwrap.dedent(body)}\n'
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def flag(self, name: str, value: int) -> None:
        """Sets a file of /proc/hpc/admin."""
        (self.root / "proc/hpc/admin" / name).write_text(f"{value}\n", encoding="utf-8")

    def flags(self) -> tuple[str, ...]:
        """Values of block and lstay."""
        admin = self.root / "proc/hpc/admin"
        names = ("block", "lstay")
        return tuple((admin / name).read_text(encoding="utf-8").strip() for name in names)

    def run_script(self, word: str) -> int:
        """Its exit status."""
        return subprocess.run(["sh", str(self.script), word], check=False, timeout=60).returncode

    def log(self) -> list[str]:
        """What was run since the last question."""
        path = self.root / "log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def daemon_runs(self, comm: str, pid: int) -> None:
        """The pid file names a process of this name."""
        (self.root / "run/omd.pid").write_text(f"{pid}\n", encoding="utf-8")
        (self.root / f"proc/{pid}").mkdir(exist_ok=True)
        (self.root / f"proc/{pid}/comm").write_text(comm + "\n", encoding="utf-8")

    def test_what_stopping_forbade_is_allowed_again(self) -> None:
        """And twice stopped is stopped once."""
        self.assertEqual(self.run_script("stop"), 0)
        self.assertEqual(self.run_script("stop"), 0)
        self.assertEqual(self.flags(), ("1", "1"))
        self.assertEqual(self.run_script("start"), 0)
        self.assertEqual(self.flags(), ("0", "0"))

    def test_what_the_administrator_forbade_stays_so(self) -> None:
        """Over a restart, and over a stop and a start."""
        self.flag("block", 1)
        self.assertEqual(self.run_script("restart"), 0)
        self.assertEqual(self.flags(), ("1", "0"))
        self.assertEqual(self.run_script("stop"), 0)
        self.assertEqual(self.run_script("start"), 0)
        self.assertEqual(self.flags(), ("1", "0"))

    def test_the_number_of_another_is_not_the_daemon(self) -> None:
        """It is neither taken for omd nor killed."""
        with subprocess.Popen(["sleep", "60"]) as bystander:
            try:
                self.daemon_runs("sleep", bystander.pid)
                self.assertEqual(self.run_script("status"), 3)
                self.assertEqual(self.run_script("reload"), 3)
                self.assertEqual(self.run_script("restart"), 0)
                self.assertIn("omd ", self.log())
                self.assertIsNone(bystander.poll())
            finally:
                bystander.send_signal(signal.SIGKILL)

    def test_who_cannot_go_in_time_is_told_of_and_the_others_come_home(self) -> None:
        """The exit status says so."""
        (self.root / "slow-expel").touch()
        self.assertEqual(self.run_script("stop"), 1)
        self.assertEqual(self.log(), ["mosctl expel", "mosctl bring"])

    def test_a_reload_that_is_not_taken_fails(self) -> None:
        """With setpe's status."""
        self.daemon_runs("omd", 4000)
        self.assertEqual(self.run_script("reload"), 0)
        (self.root / "setpe-status").write_text("1", encoding="utf-8")
        self.assertEqual(self.run_script("reload"), 1)
        self.assertEqual(self.log(), ["setpe -reload", "setpe -reload"])

    def test_starting_makes_it_a_node_again(self) -> None:
        """After `setpe -off`, which leaves omd alone."""
        self.daemon_runs("omd", 4000)
        self.assertEqual(self.run_script("start"), 0)
        self.assertEqual(self.log(), [])
        self.flag("mospe", 0)
        self.assertEqual(self.run_script("start"), 0)
        self.assertEqual(self.log(), ["setpe -reload"])


if __name__ == "__main__":
    unittest.main()
