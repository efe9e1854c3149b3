# SPDX-License-Identifier: MIT
"""The closing line of a CI run, from logs as the tools really write them."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import tally

LOG = """\
lint: ok      0.1 s  spdx
lint: FAIL   12.0 s  format
    harness/x.cpp:1: lint: ok of somebody else
lint: skip    0.0 s  checkpatch  no kernel tree in /c: make kernel
Test project /src/build/test
      Start  1: base:Fd.Closes
 1/4 Test  #1: base:Fd.Closes ....................   Passed    0.02 sec
 2/4 Test  #2: base:Fd.Moves .....................***Failed    0.02 sec
 3/4 Test #12: node:Slow .........................***Timeout 120.03 sec
 4/4 Test #13: node:NeedsKvm .....................***Skipped   0.01 sec
25% tests passed, 2 tests failed out of 4
.s.F
----------------------------------------------------------------------
Ran 4 tests in 0.010s

FAILED (failures=1, skipped=1)
.
----------------------------------------------------------------------
Ran 1 test in 0.010s

OK
left: ok   9 s  life
left: FAIL 4 s  killed
    left: file f /run/x
"""


class TallyTest(unittest.TestCase):
    def close(self, log: str, verdicts: list[str], *more: str) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "log").write_text(log)
            cases = {"cases": [{"verdict": verdict} for verdict in verdicts]}
            (folder / "results.json").write_text(json.dumps(cases))
            with contextlib.redirect_stdout(io.StringIO()) as said:
                code = tally.main(["--log", str(folder / "log"), "--results",
                                   str(folder / "results.json"), *more])
        return code, said.getvalue().splitlines()[-1]

    def test_each_kind(self) -> None:
        self.assertEqual(str(tally.of_lint(LOG)), "1 passed, 1 failed, 1 skipped")
        self.assertEqual(str(tally.of_ctest(LOG)), "1 passed, 2 failed, 1 skipped")
        self.assertEqual(str(tally.of_unittest(LOG)), "3 passed, 1 failed, 1 skipped")
        self.assertEqual(str(tally.of_left(LOG)), "1 passed, 1 failed")

    def test_closing_line(self) -> None:
        self.assertEqual(self.close(LOG, ["PASS", "KERNEL", "SKIP", "FLAKY"]),
                         (1, "8 passed, 6 failed, 4 skipped"))

    def test_all_good(self) -> None:
        good = "\n".join(line for line in LOG.splitlines()
                         if not any(word in line for word in ("FAIL", "Failed", "Timeout")))
        self.assertEqual(self.close(good, ["PASS"]), (0, "5 passed, 0 failed, 2 skipped"))
        self.assertEqual(self.close(good, ["PASS"], "--leftover")[0], 1)
        self.assertEqual(self.close(good, ["PASS"], "--exit-code", "2")[0], 1)
        self.assertEqual(self.close(good, [])[0], 1)

    def test_on_the_whole_image_a_skip_needs_a_reason(self) -> None:
        cases = [{"verdict": "SKIP"}, {"verdict": "SKIP", "may_skip": "it needs 3 nodes"}]
        for image, said in (("debian", "0 passed, 1 failed, 1 skipped"),
                            ("mini", "0 passed, 0 failed, 2 skipped")):
            with tempfile.TemporaryDirectory() as name:
                path = Path(name) / "results.json"
                path.write_text(json.dumps({"run": {"image": image}, "cases": cases}))
                self.assertEqual(str(tally.of_results(path)), said)

    def test_nothing_ran(self) -> None:
        self.assertEqual(self.close("", []), (1, "0 passed, 5 failed"))


if __name__ == "__main__":
    unittest.main()
