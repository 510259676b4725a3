"""Write results for programs: as JSON, and in the format of JUnit."""

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from chirpy.check.reports import count
from chirpy.check.results import PASSED, SKIPPED, Result


def as_json(url: str, results: Sequence[Result]) -> str:
    """Return a JSON object: `url`, `passed`, `total` and `checks`."""
    passed, total = count(results)
    checks = [members(result) for result in results]
    report = {"url": url, "passed": passed, "total": total, "checks": checks}
    return json.dumps(report, indent=2, ensure_ascii=True)


def members(result: Result) -> dict[str, Any]:
    """Return what the report says about one check."""
    check = result.check
    return {
        "name": check.name,
        "chapter": check.chapter,
        "lesson": check.lesson,
        "title": check.title,
        "why": check.reason,
        "level": "should" if check.should else "must",
        "strict": check.strict,
        "outcome": result.outcome,
        "expected": result.expected,
        "got": result.got,
        "curl": result.curl,
    }


def as_junit(url: str, results: Sequence[Result]) -> str:
    """Return a test suite with a test case for each check."""
    passed, total = count(results)
    counts = {"tests": len(results), "failures": total - passed, "skipped": len(results) - total}
    numbers = {name: str(number) for name, number in counts.items()}
    suite = ET.Element("testsuite", {"name": f"chirpy check {url}", **numbers})
    for result in results:
        add_case(suite, result)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def add_case(suite: ET.Element, result: Result) -> None:
    """Add a test case, with its evidence if it did not pass."""
    check = result.check
    names = {"classname": f"{check.chapter}.{check.lesson}", "name": check.title}
    case = ET.SubElement(suite, "testcase", names)
    if result.outcome == SKIPPED:
        ET.SubElement(case, "skipped", {"message": printable(result.got)})
    elif result.outcome != PASSED:
        failure = ET.SubElement(case, "failure", {"message": printable(result.got)})
        failure.text = printable("\n".join([f"expected {result.expected}", *result.curl]))


def printable(text: str) -> str:
    """Return the text without what XML cannot contain, such as half of a surrogate pair."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
