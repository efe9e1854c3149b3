# SPDX-License-Identifier: GPL-2.0-only
"""Each message between the halves of a process is one that the suite fails at, in every way."""
import pathlib
import re
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is noticed only as the link's time runs out takes minutes: a choice of messages must do.
EVENTS = {"kill", "reset", "garbage", "truncate"}


def messages():
    """The messages of the wire, as their names in wire.h say."""
    text = (ROOT / "kernel/hpc/wire.h").read_text(encoding="utf-8")
    return {name.lower() for name in re.findall(r"^\tOM_M_(\w+)", text, re.MULTILINE)} - {"count"}


def failed_at():
    """Message -> what fails at it; one that goes both ways counts with its direction."""
    events = {}
    text = (ROOT / "workloads/cluster/failures.yml").read_text(encoding="utf-8")
    for case in yaml.safe_load_all(text):
        for run in case["runs"]:
            for message in run.get("messages", []):
                events.setdefault(message, set()).update(run["events"])
    return events


class Messages(unittest.TestCase):
    def test_names_are_found(self):
        self.assertLessEqual({"prepare", "bytes", "taken"}, messages())

    def test_every_message_is_failed_at(self):
        both_ways = {"bytes", "pages"}
        wanted = messages() | {f"{name}-up" for name in both_ways} | {"bytes-down"}
        wanted.discard("bytes")
        events = failed_at()
        self.assertEqual(set(events), wanted)
        for message in sorted(wanted):
            with self.subTest(message=message):
                self.assertLessEqual(EVENTS, events[message])


if __name__ == "__main__":
    unittest.main()
