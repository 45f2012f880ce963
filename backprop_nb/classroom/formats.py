"""One result, as the systems read it that run a grader for each submission.

The shapes are those of the systems' own sources and documentation: Gradescope's ``results.json``,
PrairieLearn's external graders, CodeRunner's template graders, VPL's evaluation, and JUnit's XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree as ET

from backprop_nb.classroom.summary import Result


class _Test(NamedTuple):
    """A gradient, or what else points are lost for."""

    name: str
    ok: bool
    share: float
    """Of full marks."""
    remark: str

    @property
    def said(self) -> str:
        """What to say of it, in one line."""
        return " ".join(self.remark.split()) or ("right" if self.ok else "wrong")


def _tests(result: Result) -> list[_Test]:
    """Return what a result is made of; the shares of those that are right are its score."""
    parameters = [(each["name"], each["ok"], each["remark"]) for each in result["parameters"]]
    if not parameters:
        return [_Test(result["subject"], False, 1.0, _first_message(result))]
    right = sum(ok for _, ok, _ in parameters)
    # One point a gradient, one lost an offence: so an offence is a test of its own, failed.
    count = round(right / result["score"]) if result["score"] else len(parameters)
    offences = [("nothing else is wrong", False, "see the report")] * (count - len(parameters))
    return [_Test(name, ok, 1 / count, remark) for name, ok, remark in [*parameters, *offences]]


def _first_message(result: Result) -> str:
    return str(next((each["message"] for each in result["findings"]), ""))


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, allow_nan=False) + "\n"  # in ASCII, for any terminal


def _text(result: Result, points: float) -> str:
    given = f"{points * result['score']:.2f}".rstrip("0").rstrip(".")
    return f"{result['text']}\n\n{given} of {points:g}\n"


def _gradescope(result: Result, points: float) -> str:
    tests = [
        {
            "name": each.name,
            "score": points * each.share * each.ok,
            "max_score": points * each.share,
            "status": "passed" if each.ok else "failed",
            "output": each.said,
            "visibility": "visible",
        }
        for each in _tests(result)
    ]
    score = points * result["score"]
    return _json({
        "score": score, "output": result["text"], "output_format": "text",
        "visibility": "visible", "stdout_visibility": "hidden", "tests": tests,
    })  # fmt: skip


def _prairielearn(result: Result, points: float) -> str:
    tests = [
        {
            "name": each.name,
            "points": points * each.share * each.ok,
            "max_points": points * each.share,
            "message": each.said,
        }
        for each in _tests(result)
    ]
    head = result["text"].splitlines()[0]
    if result["outcome"] == "unreadable":  # costs the student no attempt
        return _json({"gradable": False, "format_errors": [_first_message(result)]})
    return _json({
        "gradable": True, "score": result["score"], "message": head,
        "output": result["text"], "tests": tests,
    })  # fmt: skip


def _coderunner(result: Result, points: float) -> str:
    """Return what a combinator template grader prints: it takes no other names than these."""
    rows = [[int(each.ok), each.name, each.said]
            for each in _tests(result)]  # fmt: skip
    return _json({
        "fraction": result["score"], "prologuehtml": f"<pre>{escape(result['text'])}</pre>",
        "testresults": [["iscorrect", "Gradient", "Result"], *rows],
    })  # fmt: skip


def _coderunner_test(result: Result, points: float) -> str:
    """Return what a template grader prints that is asked for each test case by itself."""
    return _json({"fraction": result["score"], "got": result["text"]})


def _vpl(result: Result, points: float) -> str:
    lines = ["<|--", *(f"-{each.name}: {_harmless(each.said)}" for each in _tests(result))]
    # A line that begins with > stands as it is.  Nothing in it may look like VPL's own words.
    lines += [f">{_harmless(line)}" for line in result["text"].splitlines()]
    return "\n".join([*lines, "--|>", f"Grade :=>>{points * result['score']:.2f}", ""])


def _harmless(line: str) -> str:
    return line.replace(":=>>", ": =>>").replace("--|>", "-- |>").replace("<|--", "<| --")


_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _junit(result: Result, points: float) -> str:
    tests = _tests(result)
    failed = sum(not each.ok for each in tests)
    suite = ET.Element("testsuite", name=result["subject"], tests=str(len(tests)),
                       failures=str(failed), errors="0", skipped="0")  # fmt: skip
    for each in tests:
        case = ET.SubElement(suite, "testcase", classname=result["subject"], name=each.name)
        if not each.ok:
            ET.SubElement(case, "failure", message=_xml(each.said))
    ET.SubElement(suite, "system-out").text = _xml(result["text"])
    whole = ET.Element("testsuites")
    whole.append(suite)
    ET.indent(whole, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(whole, encoding="unicode")}\n'


def _xml(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


class _Format(NamedTuple):
    write: Callable[[Result, float], str]
    full: float
    """Full marks unless somebody says so."""


_FORMATS: Final = {
    "text": _Format(_text, 100),
    "gradescope": _Format(_gradescope, 100),
    "prairielearn": _Format(_prairielearn, 1),
    "coderunner": _Format(_coderunner, 1),
    "coderunner-test": _Format(_coderunner_test, 1),
    "vpl": _Format(_vpl, 100),
    "junit": _Format(_junit, 1),
}
FORMATS: Final = tuple(_FORMATS)


def formatted(result: Result, name: str, points: float | None = None) -> str:
    """Return a result as one of the systems in ``FORMATS`` reads it.

    Full marks are so many points; CodeRunner, PrairieLearn and JUnit scale by themselves.
    """
    chosen = _FORMATS[name]
    return chosen.write(result, points or chosen.full)
