# SPDX-License-Identifier: MIT
"""Files are looked at together, and a file is blamed alone."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
# Says something of a file with the word BAD, and of a unit in which two have the word SAME.
FAKE = """#!/bin/bash
unit=${!#}
echo "$unit" >>"$LOOKED"
all=$(cat "$unit" $(sed -n 's/^#include "\\(.*\\)".*/\\1/p' "$unit"))
if grep -q BAD <<<"$all"; then echo "$unit: bad"; exit 1; fi
[ "$(grep -c SAME <<<"$all")" -lt 2 ]
"""


class TidyBatchTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = Path(holder.name)
        for name in ("build", "stamps", "bin"):
            (self.top / name).mkdir()
        fake = self.top / "bin/clang-tidy"
        fake.write_text(FAKE)
        fake.chmod(0o755)

    def run_on(self, **files: str) -> tuple[int, str, set[str], int]:
        """Exit code, what was said, the files with a stamp, how often clang-tidy ran."""
        commands, keys = [], []
        for name, text in files.items():
            path = self.top / f"{name}.cpp"
            path.write_text(text + "\n")
            commands.append({"directory": str(self.top), "file": str(path),
                             "command": f"c++ -c {path}"})
            keys += [name, str(path)]
        (self.top / "build/compile_commands.json").write_text(json.dumps(commands))
        looked = self.top / "looked"
        looked.write_text("")
        done = subprocess.run(
            [str(HERE / "tidy-batch"), "build", "stamps", *keys], cwd=self.top, text=True,
            capture_output=True, check=False,
            env={**os.environ, "PATH": f"{self.top}/bin:{os.environ['PATH']}",
                 "LOOKED": str(looked)})
        return (done.returncode, done.stdout, {one.name for one in (self.top / "stamps").iterdir()},
                len(looked.read_text().splitlines()))

    def test_clean_files_are_looked_at_once(self) -> None:
        self.assertEqual(self.run_on(a="", b="", c="SAME"), (0, "", {"a", "b", "c"}, 1))

    def test_only_the_bad_one_is_blamed(self) -> None:
        code, said, stamped, _ = self.run_on(a="", b="BAD", c="", d="")
        self.assertEqual((code, stamped), (1, {"a", "c", "d"}))
        self.assertEqual(said, f"{self.top}/b.cpp: bad\n")

    def test_two_of_one_name_are_no_mistake(self) -> None:
        code, said, stamped, _ = self.run_on(a="SAME", b="", c="SAME")
        self.assertEqual((code, said, stamped), (0, "", {"a", "b", "c"}))


if __name__ == "__main__":
    unittest.main()
