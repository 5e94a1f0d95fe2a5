"""How many tests a runner passed, failed and skipped: three numbers on one line.

    tally.py swift LOG     what `swift test` printed (Swift Testing, and XCTest's part)
    tally.py pytest XML    a JUnit report
"""
from __future__ import annotations

import re
import sys
import xml.etree.ElementTree
from pathlib import Path

# "✔ Test run with 12 tests in 3 suites passed after 0.1 seconds." Older releases leave the suites out, and the
# mark in front depends on the terminal.
SWIFT_TESTING_RUN = re.compile(r"Test run with (\d+) tests?\b.*? (passed|failed) after")
# One failed test; a failed suite or run has another first word. A test's own name may hold anything.
SWIFT_TESTING_FAILURE = re.compile(r"^\W*Test (?!run with\b|case\b).* failed after [\d.]+ seconds")
SWIFT_TESTING_SKIP = re.compile(r"^\W*Test (?!run with\b).* skipped(:|\.|$)")
XCTEST_RUN = re.compile(r"^\s*Executed (\d+) tests?, with (?:(\d+) tests? skipped and )?(\d+) failures?")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def swift(log: str) -> tuple:
    total = failed = skipped = 0
    xctest = []
    for line in COLOUR.sub("", log).splitlines():
        if run := SWIFT_TESTING_RUN.search(line):
            total += int(run.group(1))
        elif SWIFT_TESTING_FAILURE.search(line):
            failed += 1
        elif SWIFT_TESTING_SKIP.search(line):
            skipped += 1
        elif run := XCTEST_RUN.search(line):
            xctest.append(tuple(int(number or 0) for number in run.groups()))
    if xctest:
        # Suites are nested, and the outermost, which holds them all, counts most.
        executed, more_skipped, more_failed = max(xctest)
        total, skipped, failed = total + executed, skipped + more_skipped, failed + more_failed
    return max(total - failed - skipped, 0), failed, skipped


def pytest(report: str) -> tuple:
    total = failed = skipped = 0
    for suite in xml.etree.ElementTree.fromstring(report).iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return max(total - failed - skipped, 0), failed, skipped


if __name__ == "__main__":
    kind, path = sys.argv[1:]
    text = Path(path).read_text(errors="replace") if Path(path).exists() else ""
    print(*({"swift": swift, "pytest": pytest}[kind](text) if text else (0, 0, 0)))
