# SPDX-License-Identifier: GPL-2.0-only
"""Each call has a row, and docs/syscalls.md says what the rows say."""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rows  # noqa: E402

HINT = "run kernel/tests/rows.py write TREE/arch/x86/entry/syscalls/syscall_64.tbl"
TBL = """# number abi name entry
0\tcommon\tread\tsys_read
57\tcommon\tfork\tsys_fork
512\tx32\trt_sigaction\tcompat_sys_rt_sigaction
463\tcommon\tfresh_call\tsys_fresh_call
"""


class Rows(unittest.TestCase):
    def test_kinds_and_arguments(self):
        found = rows.rows(
            "om_rows[] = { FORWARD(read, VALUE, OUT_RESULT(2)), HOME(fork), /* HOME(no) */\n"
            "FORWARD(pselect6, VALUE, FDS,\n\tINOUT(struct __kernel_timespec), SIGPAIR), };")
        self.assertEqual(found["read"],
                         ("FORWARD", ["2: as many bytes as the result says out"]))
        self.assertEqual(found["fork"], ("HOME", []))
        self.assertEqual(found["pselect6"][1],
                         ["2: descriptor set in, out", "3: struct __kernel_timespec in, out",
                          "4: signal mask in"])
        self.assertNotIn("no", found)

    def test_two_rows_for_a_call_are_refused(self):
        with self.assertRaises(ValueError):
            rows.rows("om_rows[] = { HOME(fork), HOME(fork), };")

    def test_calls_of_other_abis_do_not_count(self):
        self.assertEqual(rows.calls(TBL), {"read": 0, "fork": 57, "fresh_call": 463})

    def test_a_call_without_a_row_is_named(self):
        missing = set(rows.calls(TBL)) - set(rows.rows(rows.TABLE.read_text()))
        self.assertEqual(missing, {"fresh_call"})

    def test_page_is_up_to_date(self):
        table, numbers = rows.rows(rows.TABLE.read_text()), {}
        for line in rows.PAGE.read_text().splitlines():
            match = re.match(r"\| (\d+) \| (\w+) \|", line)
            if match:
                numbers[match.group(2)] = int(match.group(1))
        self.assertEqual(set(numbers), set(table), HINT)
        tbl = "".join(f"{number} common {name}\n" for name, number in numbers.items())
        self.assertEqual(rows.PAGE.read_text(), rows.page(tbl, table), HINT)


if __name__ == "__main__":
    unittest.main()
