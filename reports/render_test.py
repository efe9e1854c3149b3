# SPDX-License-Identifier: MIT
"""The page of a run, and the files beside it."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import render
import results as model
import summary

FIXTURES = Path(__file__).parent / "fixtures"
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Collects what the tests ask about, and insists on balanced tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.outside: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        link = values.get("href") or values.get("src") or ""
        if link.startswith("#"):
            self.anchors.append(link[1:])
        elif re.match(r"(?:https?:)?//", link):
            self.outside.append(link)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        expected = self.open.pop()
        if expected != tag:
            raise AssertionError(f"</{tag}> closes <{expected}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text += data


def bench() -> dict[str, Any]:
    """The fixture's costs, and one that could not be measured."""
    made = fixture("bench")
    made["benchmarks"].append({"name": "move/64/manual_time", "error_occurred": True,
                               "error_message": "R drifted by 22 %"})
    return made


def fixture(name: str) -> dict[str, Any]:
    return model.load(FIXTURES / f"{name}.json")


class PageTest(unittest.TestCase):
    def test_is_whole_and_loads_nothing(self) -> None:
        for name in ("passed", "mutant"):
            text = render.page(fixture(name), bench())
            page = Page(text)
            self.assertEqual(page.open, [])
            self.assertEqual(page.outside, [])
            self.assertNotIn("<script", text)
            self.assertNotRegex(text, r"@import|url\(")
            self.assertEqual(len(page.ids), len(set(page.ids)), "ids are unique")
            self.assertEqual(set(page.anchors) - set(page.ids), set(), "every anchor has a target")

    def test_names_each_case_with_what_was_seen(self) -> None:
        page = Page(render.page(fixture("mutant")))
        for expected in ("2 of 5 cases failed", "no-lock-inherit",
                         "lock of the child is 0, expected 1",
                         "KASAN: slab-use-after-free", "clone_vm", "Not measured in this run"):
            self.assertIn(expected, page.text)

    def test_shows_costs_and_the_probe(self) -> None:
        page = Page(render.page(fixture("passed"), bench()))
        for expected in ("All 4 cases passed", "It cannot move: (monkey).", "256 MiB",
                         "1.1 times that of 1 MiB", "312 Mbit/s",
                         "drifted by 22 %", "probe: no output", "emulated (QEMU TCG)"):
            self.assertIn(expected, page.text)

    def test_costs_of_another_run_say_so(self) -> None:
        other = bench()
        other["mosrig"]["run"] = {"kernel": "6.12.1-other", "finished": "2026-11-01T02:03:04Z"}
        other["mosrig"]["comparable"] = False
        other["mosrig"]["bases"]["R4"]["drift"] = 0.22
        page = Page(render.page(fixture("passed"), other))
        self.assertIn("Measured 2026-11-01 02:03 on another cluster than the cases: 6.12.1-other",
                      page.text)
        self.assertIn("R4 drifted by 22 % within the run", page.text)

    def test_escapes_what_a_guest_printed(self) -> None:
        results = fixture("mutant")
        results["cases"][0]["console"] = {"node1": ["<script>alert(1)</script>"]}
        self.assertNotIn("<script", render.page(results))

    def test_of_no_cases_says_so(self) -> None:
        results: dict[str, Any] = {**fixture("passed"), "cases": []}
        self.assertIn("No case ran", Page(render.page(results)).text)
        self.assertEqual(model.exit_code(results), 3)


class FilesTest(unittest.TestCase):
    def test_a_run_without_a_probe_says_so(self) -> None:
        results = fixture("passed")
        results["run"]["kvm_probe"] = {"usable": False, "reason": "it hung", "log": "hung\n"}
        self.assertIn("cannot be used: it hung", Page(render.page(results)).text)
        del results["run"]["kvm_probe"]
        self.assertIn("No probe of KVM is recorded", Page(render.page(results)).text)

    def test_are_all_written(self) -> None:
        with tempfile.TemporaryDirectory() as out:
            with contextlib.redirect_stdout(io.StringIO()):
                code = render.main(["--results", str(FIXTURES / "passed.json"), "--bench",
                                    str(FIXTURES / "bench.json"), "--out", out])
            self.assertEqual(code, 0)
            self.assertEqual({path.name for path in Path(out).iterdir()},
                             {"index.html", "summary.md", "passed.json", "bench.json"})

    def test_a_missing_run_is_one_line(self) -> None:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertEqual(render.main(["--results", "/nowhere/results.json"]), 3)
        self.assertEqual(said.getvalue().count("\n"), 1)
        self.assertIn("make conformance", said.getvalue())

    def test_broken_data_is_shown_and_reported(self) -> None:
        with tempfile.TemporaryDirectory() as out:
            results = fixture("passed")
            results["cases"][0]["lock"] = None
            path = Path(out) / "results.json"
            path.write_text(json.dumps(results))
            with contextlib.redirect_stdout(io.StringIO()), \
                    contextlib.redirect_stderr(io.StringIO()) as said:
                code = render.main(["--results", str(path), "--out", out])
            self.assertEqual(code, 3)
            self.assertIn("cases/0/lock", said.getvalue())
            self.assertIn("does not follow its schema", (Path(out) / "index.html").read_text())


class OtherFormsTest(unittest.TestCase):
    def test_summary_is_as_agreed(self) -> None:
        golden = (FIXTURES / "mutant.md").read_text("utf-8")
        self.assertEqual(summary.markdown(fixture("mutant"), bench()), golden)

    def test_summary_fits_one_screen(self) -> None:
        results = fixture("mutant")
        results["cases"] *= 20
        self.assertLess(summary.markdown(results, bench()).count("\n"), 40)


if __name__ == "__main__":
    unittest.main()
