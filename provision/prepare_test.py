# SPDX-License-Identifier: MIT
"""Tests of `prepare deps` with a package manager of our own: nothing is installed."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
FRESH = r"""#!/bin/sh
# A machine that has make and git, knows of bison, and has never heard of the rest.
printf 'make installed\ngit installed\nbison not-installed\n'
echo 'dpkg-query: no packages found matching ansible-core' >&2
exit 1
"""
COMPLETE = r"""#!/bin/sh
for word; do
    case $word in -*|*'$'*) ;; *) echo "$word installed" ;; esac
done
"""
RECORD = r"""#!/bin/sh
echo "$0 $*" >>"$RECORD"
"""
# Ansible with a builder that says something, fails and is gone.
FAILING = r"""#!/bin/sh
for word; do
    case $word in kernel_progress=*) printf 'first\nlast words' >>"${word#*=}" ;; esac
done
exit 2
"""
# Begins to look only when the builder has long gone.
LATE = r"""#!/bin/sh
sleep 0.5
exec /usr/bin/tail "$@"
"""


class DepsTest(unittest.TestCase):
    """Whole runs of `prepare deps`; dpkg-query, apt-get and ansible-playbook are ours."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="mosrig-prepare-")
        self.addCleanup(holder.cleanup)
        self.bin = Path(holder.name)
        self.record = self.bin / "record"
        for name in ("apt-get", "ansible-playbook"):
            self.program(name, RECORD)
        # whoever runs this is root, and may use /dev/kvm if there is one
        self.program("id", "#!/bin/sh\necho 0\n")
        self.program("stat", "#!/bin/sh\necho kvm\n")

    def program(self, name: str, text: str) -> None:
        """Puts a program of ours before the machine's."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def deps(self, dpkg_query: str) -> subprocess.CompletedProcess[str]:
        """Runs `prepare deps` on a machine with such packages."""
        self.program("dpkg-query", dpkg_query)
        environment = dict(os.environ)
        environment.update(PATH=f"{self.bin}:{environment['PATH']}", RECORD=str(self.record))
        return subprocess.run(
            [HERE / "prepare", "deps"], env=environment, text=True, capture_output=True,
            check=False, timeout=60,
        )

    def test_packages_that_dpkg_never_heard_of_are_installed(self) -> None:
        run = self.deps(FRESH)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("installing: ", run.stderr)
        said = run.stderr.split("installing: ", 1)[1].splitlines()[0].split()
        self.assertIn("ansible-core", said)
        self.assertIn("bison", said)
        self.assertNotIn("make", said)
        self.assertIn("site.yml --tags deps", self.record.read_text())

    def test_who_may_not_install_is_told_what_is_missing(self) -> None:
        self.program("id", "#!/bin/sh\necho 1000\n")
        run = self.deps(FRESH)
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertRegex(run.stderr, r"missing \(.*ansible-core .*bison .*\).*run: sudo make deps")
        self.assertFalse(self.record.exists())

    def test_what_the_builder_said_last_is_shown(self) -> None:
        self.program("ansible-playbook", FAILING)
        self.program("tail", LATE)
        run = self.deps(FRESH)
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertIn("first\nlast words", run.stderr)
        self.assertIn('"make deps" failed', run.stderr)

    def test_a_complete_machine_is_left_alone(self) -> None:
        run = self.deps(COMPLETE)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertFalse(self.record.exists())


if __name__ == "__main__":
    unittest.main()
