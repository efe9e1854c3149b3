# SPDX-License-Identifier: MIT
"""What .clang-tidy holds of names: each kind of name that is none of ours is one that it blames."""

from __future__ import annotations

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

CONFIG = Path(__file__).resolve().parents[1] / ".clang-tidy"
OURS = """
#define MOSRIG_ONE 1
#define SYS_of_ours 9999
namespace some_words {
constexpr int most_words = 3;
enum class Kind { none, one_word };
using Number = int;
struct Measure { int R = 0; int mean_ms = 0; };
class Counter {
  public:
    static constexpr int largest = 9;
    int count_up(int by_much) { return count_ += by_much + second_; }

  private:
    static int second_;
    int count_ = 0;
};
}
"""
FOREIGN = {
    "kMostWords": "constexpr int kMostWords = 3;",
    "kLargest": "struct Limits { static constexpr int kLargest = 9; };",
    "kNone": "enum class Kind { kNone };",
    "aCount": "int bump(int aCount) { return aCount; }",
    "countUp": "int countUp() { return 1; }",
    "counter_type": "class counter_type {};",
    "number_t": "using number_t = int;",
    "meanMs": "struct Measure { int meanMs = 0; };",
    "count": "class Counter { int count = 0; };",
    "second": "class Counter { static int second; };",
    "SomeWords": "namespace SomeWords {}",
    "mosrig_one": "#define mosrig_one 1",
}


def blamed(text: str) -> list[str]:
    """The names in a source that clang-tidy does not like."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.cpp"
        source.write_text(text, "utf-8")
        done = subprocess.run(
            ["clang-tidy", "--quiet", f"--config-file={CONFIG}",
             "--checks=-*,readability-identifier-naming", str(source), "--", "-std=c++20"],
            text=True, capture_output=True, check=False)
    return re.findall(r"invalid case style for .* '(\w+)'", done.stdout)


class NamesTest(unittest.TestCase):
    def test_ours_are_none_of_them(self) -> None:
        self.assertEqual(blamed(OURS), [])

    def test_each_foreign_one_is_blamed(self) -> None:
        self.assertEqual(blamed("\n".join(f"namespace in_{number} {{\n{line}\n}}" for number, line
                                          in enumerate(FOREIGN.values()))), list(FOREIGN))


if __name__ == "__main__":
    unittest.main()
