#!/bin/sh
# SPDX-License-Identifier: MIT
# Parts of python's own test suite that make calls, and what became of each test of them. What a test prints itself
# has times and process numbers in it, so only its name and its verdict are shown.
set -eu
command -v python3 >/dev/null || { echo SKIP no python3 on this node; exit 0; }
python3 -c 'import test.test_os' 2>/dev/null || { echo SKIP no test suite of python3 on this node; exit 0; }
# Left out is what asserts how soon something happens (StressTest, ItimerTest, WakeupSignalTests, test_threaded_poll,
# test_sigtimedwait_timeout), what takes many seconds of sleep (SiginterruptTest, test_poll2), and what takes a kernel
# with dnotify (test_fcntl_64_bit).
cd /tmp
runner='
import os, re, sys, unittest
from test import support
from test.support import os_helper

support.use_resources = []  # as python3 -m test has them
without = re.compile(r"StressTest|ItimerTest|WakeupSignalTests|test_threaded_poll|test_sigtimedwait_timeout|"
                     r"SiginterruptTest|test_poll2|test_fcntl_64_bit")
lines = []

class Verdicts(unittest.TestResult):
    def addSuccess(self, test):
        lines.append(test.id() + " ok")
    def addSkip(self, test, reason):
        lines.append(test.id() + " skipped")
    def addFailure(self, test, error):
        super().addFailure(test, error)
        lines.append(test.id() + " FAIL " + str(error[1]))
    def addError(self, test, error):
        super().addError(test, error)
        lines.append(test.id() + " ERROR " + str(error[1]))
    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            lines.append(subtest.id() + " FAIL " + str(error[1]))

def chosen(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from chosen(test)
        elif without.search(test.id()) is None:
            yield test

with os_helper.temp_cwd():
    suite = unittest.defaultTestLoader.loadTestsFromName("test." + sys.argv[1])
    result = Verdicts()
    unittest.TestSuite(chosen(suite)).run(result)
with os.fdopen(3, "w") as verdicts:
    verdicts.write("".join(line + "\n" for line in sorted(lines)))
sys.exit(not result.wasSuccessful())
'
failed=0
for name in test_posix test_os test_fcntl test_select test_poll test_epoll test_signal test_pty test_tempfile test_mmap \
    test_resource; do
    # What the tests write themselves is not to be compared: the verdicts go their own way.
    said=$(python3 -c "$runner" "$name" 3>&1 >/dev/null 2>&1 </dev/null) || failed=1
    echo "$said"
done
exit $failed
