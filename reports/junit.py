# SPDX-License-Identifier: MIT
"""JUnit XML of a night. That of one run is written by `mosrig` itself; here they come together."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(suites: list[ElementTree.Element]) -> bytes:
    """A file with these testsuites."""
    root = ElementTree.Element("testsuites")
    root.extend(suites)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def of_run(path: Path, name: str) -> list[ElementTree.Element]:
    """The testsuites of a run's junit.xml under a name of ours; none if it cannot be read."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return []
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    for suite in suites:
        suite.set("name", name)
        for case in suite.iter("testcase"):
            case.set("classname", name)
    return suites


def single(suite: str, name: str, seconds: float, problem: str, infra: bool) -> ElementTree.Element:
    """A testsuite of one case, which failed if problem is not empty."""
    failed, broken = bool(problem) and not infra, bool(problem) and infra
    node = ElementTree.Element("testsuite", name=suite, tests="1", failures=str(int(failed)),
                               errors=str(int(broken)), skipped="0", time=f"{seconds:.3f}")
    case = ElementTree.SubElement(node, "testcase", classname=suite, name=name,
                                  time=f"{seconds:.3f}")
    if problem:
        ElementTree.SubElement(case, "error" if infra else "failure", message=_clean(problem),
                               type="INFRA" if infra else "FAIL")
    return node


def _clean(text: str) -> str:
    """Text without the control characters that XML forbids; consoles are full of them."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
