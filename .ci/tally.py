#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts what `make test` did, from its log and results.json, and prints the closing line.

Lint checks, C++ and Python unit tests, conformance cases and ways to leave nothing count one
each. A kind of which nothing was found counts as one failure: what did not run did not pass.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

LINT = re.compile(r"^lint: (ok|FAIL|skip) ", re.M)
CTEST = re.compile(r"^ *\d+/\d+ Test +#\d+: .*?(Passed|\*\*\*\S+)", re.M)
LEFT = re.compile(r"^left: (ok|FAIL) ", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n+(OK|FAILED)(?: \((.*)\))?", re.M)
BAD = {"FAIL", "XPASS", "KERNEL", "TIMEOUT", "BOOT", "INFRA"}


@dataclass
class Tally:
    """How many of a kind passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def of_lint(log: str) -> Tally:
    """Checks of .ci/lint."""
    words = LINT.findall(log)
    return Tally(words.count("ok"), words.count("FAIL"), words.count("skip"))


def of_left(log: str) -> Tally:
    """Ways of .ci/leave-nothing."""
    words = LEFT.findall(log)
    return Tally(words.count("ok"), words.count("FAIL"))


def of_ctest(log: str) -> Tally:
    """GoogleTest cases, as ctest lists them."""
    words = CTEST.findall(log)
    passed, skipped = words.count("Passed"), words.count("***Skipped")
    return Tally(passed, len(words) - passed - skipped, skipped)


def of_unittest(log: str) -> Tally:
    """Python tests, of each run of unittest."""
    total = Tally()
    for count, _, note in UNITTEST.findall(log):
        numbers = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", note)}
        failed = numbers.get("failures", 0) + numbers.get("errors", 0)
        skipped = numbers.get("skipped", 0)
        total += Tally(int(count) - failed - skipped, failed, skipped)
    return total


def of_results(path: Path) -> Tally:
    """Conformance cases."""
    try:
        results = json.loads(path.read_text("utf-8"))
        verdicts = [case["verdict"] for case in results["cases"]]
        # What the whole image lets be skipped is said with the case.
        wrong = sum(case["verdict"] == "SKIP" and not case.get("may_skip")
                    for case in results["cases"]
                    if results.get("run", {}).get("image") == "debian")
    except (OSError, ValueError, KeyError, TypeError):
        return Tally()
    failed = sum(verdict in BAD for verdict in verdicts) + wrong
    skipped = verdicts.count("SKIP") - wrong
    return Tally(len(verdicts) - failed - skipped, failed, skipped)


def main(arguments: list[str] | None = None) -> int:
    """Prints a line per kind and the closing line. 0 if all passed and something ran, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, nargs="+", required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--exit-code", type=int, default=0, help="of make test")
    parser.add_argument("--leftover", action="store_true", help="something was left running")
    chosen = parser.parse_args(arguments)
    log = "\n".join(path.read_text("utf-8", "replace") for path in chosen.log if path.exists())
    total = Tally()
    for name, tally in (("lint checks", of_lint(log)), ("C++ tests", of_ctest(log)),
                        ("Python tests", of_unittest(log)),
                        ("conformance cases", of_results(chosen.results)),
                        ("ways to leave nothing", of_left(log))):
        if tally == Tally():
            print(f"{name}: none ran, which counts as a failure")
            tally = Tally(failed=1)
        else:
            print(f"{name}: {tally}")
        total += tally
    if chosen.leftover:
        print("clean-up: 1 failed, see above")
        total += Tally(failed=1)
    if chosen.exit_code and not total.failed:
        print("make test failed outside of its tests, see above")
        total += Tally(failed=1)
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
