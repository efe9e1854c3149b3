# SPDX-License-Identifier: MIT
"""Each check of .ci/lint that needs no big tool sees the mistake that it is for."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
SPDX = "# SPDX-License-Identifier: MIT\n"


class LintTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = Path(holder.name)
        subprocess.run(["git", "init", "-q", "."], cwd=self.top, check=True)
        (self.top / ".ci").mkdir()
        shutil.copy(HERE / "lint", self.top / ".ci/lint")

    def lint(self, check: str, files: dict[str, str]) -> tuple[int, str]:
        for name, text in files.items():
            (self.top / name).parent.mkdir(parents=True, exist_ok=True)
            (self.top / name).write_text(text)
        done = subprocess.run(["bash", ".ci/lint", check], cwd=self.top, text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout

    def test_licence_lines(self) -> None:
        gpl = SPDX.replace("MIT", "GPL-2.0-only")
        uapi = SPDX.replace("MIT", "GPL-2.0-only WITH Linux-syscall-note")
        good = {"a.sh": SPDX, "kernel/b.c": gpl, "kernel/uapi/c.h": uapi, "d.md": "x"}
        self.assertEqual(self.lint("spdx", good)[0], 0)
        code, said = self.lint("spdx", {"none.sh": "x\n", "kernel/mit.c": SPDX, "gpl.sh": gpl,
                                        "kernel/uapi/bare.h": gpl})
        self.assertEqual(code, 1)
        self.assertEqual(said.count("SPDX-License-Identifier"), 4)

    def test_open_ends(self) -> None:
        mark = "TO" + "DO"
        self.assertEqual(self.lint("words", {"a.patch": f" {mark} of the context\n+fine\n"})[0], 0)
        self.assertEqual(self.lint("words", {"b.patch": f"+/* {mark}: ours */\n"})[0], 1)
        self.assertEqual(self.lint("words", {"b.patch": "", "c.cpp": f"// {mark} later\n"})[0], 1)

    def test_white_space(self) -> None:
        self.assertEqual(self.lint("space", {"a.txt": "good\n"})[0], 0)
        code, said = self.lint("space", {"b.txt": "blank \n", "c.txt": "no end"})
        self.assertEqual(code, 1)
        self.assertIn("b.txt:1", said)
        self.assertIn("c.txt: no newline", said)

    def test_json_and_an_unknown_check(self) -> None:
        self.assertEqual(self.lint("json", {"a.json": "{"})[0], 1)
        self.assertEqual(self.lint("none-such", {})[0], 2)


if __name__ == "__main__":
    unittest.main()
