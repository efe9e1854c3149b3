# SPDX-License-Identifier: MIT
"""Each verb and variable of the Makefile is told of by `make help` and by README."""

from __future__ import annotations

import re
import subprocess
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
MAKEFILE = (TOP / "Makefile").read_text("utf-8")
README = (TOP / "README.md").read_text("utf-8")
HELP = subprocess.run(["make", "--no-print-directory", "help"], cwd=TOP, text=True,
                      capture_output=True, check=True).stdout


class FrontDoorTest(unittest.TestCase):
    def test_each_verb_is_told_of(self) -> None:
        phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", MAKEFILE, re.M)
        assert phony is not None
        verbs = set(phony[1].replace("\\", "").split()) - {"conformance-run"}
        self.assertIn("nightly", verbs)
        self.assertEqual(verbs - set(re.findall(r"^  make (\S+)", HELP, re.M)), set())
        rows = "".join(re.findall(r"^\| (`[^|]*)\|", README, re.M))
        self.assertEqual(verbs - set(re.findall(r"`(\S+?)`", rows)) - {"help"}, set())

    def test_each_variable_is_told_of(self) -> None:
        variables = set(re.findall(r"\$\(([A-Z]+)\)", MAKEFILE)) - {"MAKE", "MAKECMDGOALS"}
        self.assertLessEqual({"NODES", "CASES", "QUICK"}, variables)
        told = README[README.index("\nVariables: "):].split("\n\n")[0]
        for variable in sorted(variables):
            with self.subTest(variable=variable):
                self.assertIn(f"{variable}=", HELP)
                self.assertIn(f"`{variable}=", told)


if __name__ == "__main__":
    unittest.main()
