# SPDX-License-Identifier: MIT
"""Schema, counts and words."""

from __future__ import annotations

import copy
import json
import re
import unittest
from pathlib import Path
from typing import Any

import charts
import reasons
import results as model
import words

HERE = Path(__file__).parent
ENOUGH: dict[str, Any] = {
    "run": {"kernel": "", "accelerator": "tcg", "nodes": 2, "commit": "abc"},
    "cases": [],
}


def case(verdict: str, **more: Any) -> dict[str, Any]:
    made = {"id": "busy", "verdict": verdict, "manual": {"expected": "moves", "seen": "moves"},
            "lock": 0, "cantmove": [], "where": 2, "freeze_ns": 1, "total_ns": 2,
            "evidence": ["seen"]}
    return {**made, **more}


class SchemaTest(unittest.TestCase):
    def check(self, *cases: dict[str, Any]) -> list[str]:
        return model.deviations({**ENOUGH, "cases": list(cases)}, "results")

    def test_fixtures_hold(self) -> None:
        for name in ("passed", "mutant"):
            results = model.load(HERE / f"fixtures/{name}.json")
            self.assertEqual(model.deviations(results, "results"), [])
        self.assertEqual(model.deviations(model.load(HERE / "fixtures/bench.json"), "bench"), [])

    def test_the_least_is_enough(self) -> None:
        self.assertEqual(self.check(case("PASS")), [])

    def test_a_pass_needs_evidence(self) -> None:
        self.assertTrue(self.check(case("PASS", evidence=[])))
        self.assertEqual(self.check(case("INFRA", evidence=[], lock=None, where=None)), [])

    def test_wrong_things_are_named(self) -> None:
        self.assertIn("cases/0/verdict", self.check(case("GREEN"))[0])
        self.assertIn("unasked", self.check(case("PASS", unasked=1))[0])
        self.assertIn("cases/0/freeze_ns", self.check(case("PASS", freeze_ns=1.5))[0])
        broken = copy.deepcopy(case("PASS"))
        del broken["where"]
        self.assertIn("where", self.check(broken)[0])

    def test_verdict_words_are_the_schema_s(self) -> None:
        schema = json.loads((HERE / "results.schema.json").read_text())
        listed = schema["$defs"]["case"]["properties"]["verdict"]["enum"]
        self.assertEqual(set(listed), set(words.VERDICTS))


class VerdictTest(unittest.TestCase):
    def code(self, *verdicts: str, **run: Any) -> int:
        cases = [case(verdict) for verdict in verdicts]
        return model.exit_code({"run": {**ENOUGH["run"], **run}, "cases": cases})

    def test_exit_codes(self) -> None:
        self.assertEqual(self.code("PASS", "SKIP", "XFAIL", "FLAKY"), 0)
        for verdict in ("FAIL", "XPASS", "KERNEL", "TIMEOUT"):
            self.assertEqual(self.code("PASS", verdict, "INFRA"), 1)
        for verdict in ("BOOT", "INFRA"):
            self.assertEqual(self.code("PASS", verdict), 3)
        self.assertEqual(self.code(), 3)
        self.assertEqual(self.code("PASS", complete=False), 3)

    def test_on_the_whole_image_a_skip_needs_a_reason(self) -> None:
        self.assertEqual(self.code("PASS", "SKIP", image="mini"), 0)
        self.assertEqual(self.code("PASS", "SKIP", image="debian"), 3)
        self.assertEqual(self.code("FAIL", "SKIP", image="debian"), 1)
        results: dict[str, Any] = {
            "run": {**ENOUGH["run"], "image": "debian"},
            "cases": [case("PASS"), case("SKIP", id="lost"),
                      case("SKIP", id="small", may_skip="it needs 3 nodes")]}
        self.assertEqual(model.deviations(results, "results"), [])
        self.assertEqual(model.wrongly_skipped(results), ["lost"])
        self.assertEqual(model.headline(results), "1 of 3 cases skipped that must not be: lost")
        results["cases"][1]["may_skip"] = "it may"
        self.assertEqual(model.exit_code(results), 0)

    def test_evidence_begins_with_what_is_not_so(self) -> None:
        looks = [{"check": f"intact, look {number}", "ok": True} for number in range(1, 9)]
        wrong = {"check": "intact, look 9", "ok": False}
        told = model.evidence({"evidence": ["it started", *looks, wrong]})
        self.assertEqual(told[0], wrong)
        self.assertEqual([item["check"] for item in told[1:]], ["it started", "intact, look 1"])
        self.assertEqual(told[2]["times"], 8)
        few = model.evidence({"evidence": looks[:3]})
        self.assertEqual(len(few), 3)

    def test_a_problem_is_one_line(self) -> None:
        self.assertEqual(model.problem(case("PASS")), "")
        failed = case("FAIL", evidence=[{"check": "bytes", "ok": False, "detail": "3 differ"}])
        self.assertEqual(model.problem(failed), "bytes: 3 differ")
        oops = case("KERNEL", console={"node1": [], "node2": [" BUG: bad "]})
        self.assertEqual(model.problem(oops), "node2: BUG: bad")


class WordsTest(unittest.TestCase):
    def test_every_word_of_the_kernel_is_explained(self) -> None:
        header = (HERE.parent / "kernel/uapi/openmosix.h").read_text()
        block = header[header.index("OM_REASON_WORDS"):]
        kernel_words = re.findall(r'"(\w+)"', block)
        self.assertGreater(len(kernel_words), 20)
        self.assertEqual(set(kernel_words), set(reasons.REASONS))
        self.assertIn("does not know", reasons.explain("new_word").meaning)

    def test_numbers(self) -> None:
        self.assertEqual([words.duration(n) for n in (None, 999, 3_480_000, 205_500_000, 7.9e9)],
                         ["–", "999 ns", "3.48 ms", "206 ms", "7.9 s"])
        self.assertEqual([words.span(n) for n in (8.42, 200, 7500)],
                         ["8.42 s", "3 min 20 s", "2 h 05 min"])
        self.assertEqual([words.size(n) for n in (0.5, 256, 1024)], ["0.5 MiB", "256 MiB", "1 GiB"])
        self.assertEqual(words.commit("0123456789abcdef0123456789abcdef01234567-dirty"),
                         "0123456789ab-dirty")
        self.assertEqual([words.place(n) for n in (0, 2, -1, None)],
                         ["home", "node2", "unknown node", "–"])


class ChartTest(unittest.TestCase):
    def test_ticks_are_round_and_reach_the_top(self) -> None:
        self.assertEqual(charts.nice_ticks(0), [0, 1])
        for high in (0.03, 1.4, 7, 13, 999):
            ticks = charts.nice_ticks(high)
            self.assertGreaterEqual(ticks[-1], high * 0.999)
            self.assertLessEqual(len(ticks), 8)

    def test_gaps_break_the_line(self) -> None:
        series = charts.Series("s", [(1, 1.0), (2, 2.0), (3, None), (4, 1.0), (5, 2.0)])
        svg = charts.line_chart("t", [series], [(1, "1"), (5, "5")], "x", "y")
        self.assertEqual(svg.count("<polyline"), 2)
        self.assertIn("not measured", svg)

    def test_nothing_measured_is_no_chart(self) -> None:
        series = charts.Series("s", [(1, None)])
        self.assertEqual(charts.line_chart("t", [series], [(1, "1")], "", ""), "")
        self.assertEqual(charts.stacked_bars("t", [], ["good"], []), "")


if __name__ == "__main__":
    unittest.main()
