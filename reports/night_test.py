# SPDX-License-Identifier: MIT
"""A night against a stand-in for make: folders, exit codes, trend, and what a reader gets."""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

import night as one_night
import nights
import steps
from render_test import Page

HERE = Path(__file__).parent
# Plays make: writes a fixture as the run's result. MUTANT_RESULT and BENCH choose what it plays;
# of a kernel with a bug it is the case that was asked for.
FAKE_MAKE = f"""#!/bin/sh
mkdir -p build/report build/results
case "$*" in
*MUTANT=*) case_id=$(echo "$*" | sed 's/.*CASES=\\([^ ]*\\).*/\\1/')
           sed "s/lock-fork/$case_id/g" {HERE}/fixtures/$MUTANT_RESULT.json \\
               >build/report/results.json
           [ "$MUTANT_RESULT" = passed ]; exit ;;
conformance*) cp {HERE}/fixtures/junit.xml build/report/
             cp {HERE}/fixtures/$RESULT.json build/report/results.json ;;
bench*) cp {HERE}/fixtures/bench.json build/results/ ;;
esac
echo did "$@"
[ "$RESULT" = passed ]
"""


class NightTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = Path(holder.name)
        self.nights = self.top / "nights"
        self.make = self.top / "make"
        self.make.write_text(FAKE_MAKE)
        self.prefixes = self.top / "kernel/tests/prefixes"
        self.prefixes.parent.mkdir(parents=True)
        self.prefixes.write_text("#!/bin/sh\necho prefixes: ok\n")
        for program in (self.make, self.prefixes):
            program.chmod(0o755)
        for key, value in (("RESULT", "passed"), ("MUTANT_RESULT", "mutant")):
            os.environ[key] = value
            self.addCleanup(os.environ.__delitem__, key)
        silent = steps.say
        steps.say = lambda text: None
        self.addCleanup(setattr, steps, "say", silent)

    def night(self) -> tuple[one_night.Night, Path]:
        return one_night.run(one_night.Options(self.top, self.nights, str(self.make)))

    def test_a_good_night(self) -> None:
        done, folder = self.night()
        self.assertEqual([part.code for part in done.parts],
                         [0] * (3 + len(one_night.MUTANTS)), done.parts)
        self.assertEqual(done.code, 0)
        self.assertEqual({path.name for path in folder.iterdir() if path.is_dir()},
                         {"series", "base", "debug",
                          *(f"mutant-{name}" for name in one_night.MUTANTS)})
        for part in done.parts[1:]:
            self.assertTrue((folder / part.name / "index.html").exists())
            self.assertTrue((folder / part.name / "conformance.log").exists())
        self.assertEqual(done.parts[1].freeze["256"], 5.9)
        root = ElementTree.fromstring(nights.junit_xml(done, folder))
        self.assertEqual([suite.get("name") for suite in root],
                         ["mosrig.night", "mosrig.night", "mosrig.base", "mosrig.night",
                          "mosrig.debug"] + ["mosrig.night"] * len(one_night.MUTANTS))
        self.assertIn("5.9", nights.markdown(done, folder))

    def test_every_bug_of_the_kernel_is_run(self) -> None:
        sources = (HERE.parent / "kernel/hpc").glob("*.c")
        found = {name for path in sources
                 for name in re.findall(r'om_mutant\("(.*?)"\)', path.read_text("utf-8"))}
        self.assertEqual(found, set(one_night.MUTANTS))

    def test_a_quick_night_and_a_debug_kernel_take_few_samples(self) -> None:
        for quick in (True, False):
            _, folder = one_night.run(
                one_night.Options(self.top, self.nights, str(self.make), quick=quick))
            for kernel, few in (("base", quick), ("debug", True)):
                said = (folder / kernel / "bench.log").read_text()
                self.assertEqual("QUICK=1" in said, few, (kernel, said))

    def test_a_debug_kernel_is_spared_the_repetitions(self) -> None:
        _, folder = self.night()
        for kernel, tier in (("base", "night"), ("debug", "full")):
            said = (folder / kernel / "conformance.log").read_text()
            self.assertIn(f"TIER={tier}", said)
            self.assertEqual(f"ALSO={one_night.ALSO_ON_DEBUG}" in said, kernel == "debug", said)

    def test_of_the_night_a_debug_kernel_is_spared_repetitions_and_most_programs(self) -> None:
        told = "".join(path.read_text("utf-8")
                       for path in sorted((HERE.parent / "workloads").rglob("*.yml")))
        cases = re.findall(r"^id: (\S+)\n(?:.+\n)*?tier: (\w+)$", told, re.M)
        patterns = one_night.ALSO_ON_DEBUG.split(",")
        by_night = [case for case, tier in cases if tier == "night"]
        also = {pattern: fnmatch.filter(by_night, pattern) for pattern in patterns}
        self.assertEqual([pattern for pattern, found in also.items() if not found], [])
        run = {case for found in also.values() for case in found}
        self.assertIn("signal-transit-rest", run)
        for case in set(by_night) - run:
            self.assertRegex(case, "^(soak|restless)-")
        self.assertEqual({case for case in run if case.startswith(("restless-", "soak-"))},
                         {"restless-bash", "restless-sqlite3", "restless-stress-processes",
                          "restless-stress-signals"})

    def test_a_patch_after_which_nothing_compiles_fails_the_night(self) -> None:
        self.prefixes.write_text("#!/bin/sh\necho prefixes: 0002 does not compile; exit 1\n")
        done, folder = self.night()
        self.assertEqual(done.code, 1)
        self.assertIn("0002 does not compile", nights.markdown(done, folder))

    def test_an_unseen_mutant_fails_the_night(self) -> None:
        os.environ["MUTANT_RESULT"] = "passed"
        done, folder = self.night()
        self.assertEqual(done.code, 1)
        self.assertIn("NOT seen: lock-fork", nights.markdown(done, folder))

    def test_a_failed_case_fails_the_night(self) -> None:
        os.environ["RESULT"] = "mutant"
        done, folder = self.night()
        self.assertEqual(done.code, 1)
        self.assertIn("lock of the child is 0", nights.markdown(done, folder))

    def test_no_results_is_not_a_pass(self) -> None:
        self.make.write_text("#!/bin/sh\necho 'mosrig: no space left'\nexit 2\n")
        stale = self.top / "build/report"
        stale.mkdir(parents=True)
        (stale / "results.json").write_text((HERE / "fixtures/passed.json").read_text())
        done, folder = self.night()
        self.assertEqual(done.code, 3)
        self.assertIn("no space left", nights.markdown(done, folder))

    def test_broken_costs_do_not_hide_the_cases(self) -> None:
        self.make.write_text(FAKE_MAKE.replace(f"cp {HERE}/fixtures/bench.json", "echo { >")
                             .replace("build/results/ ;;", "build/results/bench.json ;;"))
        done, folder = self.night()
        self.assertEqual(done.code, 3)
        self.assertEqual(done.parts[1].counts, {"PASS": 4})
        self.assertIn("bench.json: not JSON", nights.markdown(done, folder))

    def test_nights_of_one_day_get_numbers_and_a_trend(self) -> None:
        for _ in range(3):
            self.night()
        found = nights.read_all(self.nights)
        self.assertEqual([night.name[10:] for night in found], ["", "-2", "-3"])
        page = Page(nights.index(self.nights))
        self.assertEqual(page.outside, [])
        self.assertIn("Good for 3 nights", page.text)
        (self.nights / "2020-01-01").mkdir()
        (self.nights / "2020-01-01/night.json").write_text("{")
        self.assertEqual(len(nights.read_all(self.nights)), 3)

    def test_the_index_of_nothing(self) -> None:
        self.assertIn("No night yet", Page(nights.index(self.nights)).text)


class StepTest(unittest.TestCase):
    def test_a_deadline_ends_the_whole_group(self) -> None:
        with tempfile.TemporaryDirectory() as top:
            silent, steps.say = steps.say, lambda text: None
            self.addCleanup(setattr, steps, "say", silent)
            log = Path(top) / "log"
            script = "sleep 300 & echo $!; wait"
            done = steps.run("slow", ["sh", "-c", script], Path(top), log, 0.5)
            self.assertEqual(done.code, 124)
            state = subprocess.run(["ps", "-o", "stat=", "-p", done.last_line], text=True,
                                   capture_output=True, check=False).stdout.strip()
            self.assertIn(state[:1], ("", "Z"))


if __name__ == "__main__":
    unittest.main()
