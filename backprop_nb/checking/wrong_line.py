"""The line of a backward pass that is wrong: whether to look for it, which it is, and its place.

It is looked for where the pass is, and told where the report is made, which may be another process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.checking.asking import Answers, ask
from backprop_nb.checking.convention import Course
from backprop_nb.checking.diagnosis import UNKNOWN
from backprop_nb.checking.gradient import WrongLines
from backprop_nb.checking.lines.program import reachable
from backprop_nb.checking.packing import argument_names, course_loss, names_of_arguments
from backprop_nb.checking.probes import Probe, line_probes, make_probes
from backprop_nb.checking.report import SHOWS_LINE, Finding, Hints, Report, says_a_number
from backprop_nb.checking.search import is_right
from backprop_nb.checking.unexplained import in_sizes
from backprop_nb.checking.wording import renamed
from backprop_nb.errors import in_words
from backprop_nb.tracing import pytree
from backprop_nb.tracing.code_text import find_text

# What a line that is proved explains, and where it shows better to look.
_SUPERSEDED = re.compile(
    rf"{re.escape(UNKNOWN)}| [^.]*(is wrong too|the gradient itself)"
    r"(, and the layers above are right)?: look at [^.]*\."
)


def may_have_line(answers: Answers, course: Course, hints: Hints) -> bool:
    """Whether to look for a wrong line: what raises has said its own, and may not end."""
    failed = any(each.failure for each in (*answers.answers, answers.again))
    return (
        hints in SHOWS_LINE
        and not failed
        and not all(is_right(course, k, each) for k, each in enumerate(answers.answers))
    )


def raised_line(answers: Answers, hints: Hints) -> Finding | None:
    """Return the line that raises; None if there is none, or if it is not to be shown."""
    at = answers.raised_at
    if at is None or hints not in SHOWS_LINE:
        return None
    return Finding("raised_exception", "", 1, "", line=at.start[0], source=at)


def line_of(backward: Callable[..., Any], course: Course, hints: Hints) -> Finding | None:
    """Return the line that explains what is wrong, alone or together with another one.

    Two may explain it better than one that is not proved.
    """
    lines = _Lines(backward, course, hints)
    line = _line_alone(lines)
    if line is not None and line.proved:
        return line
    return _lines_together(lines) or line


def _line_alone(asked: _Lines) -> Finding | None:
    """Return the line of a backward pass that alone explains what is wrong, if one does.

    Where another one explains it as well, either may be wrong, and both are named.
    """
    probes, found = asked.probes, list[Finding]()
    for k in range(len(probes)):
        lines = asked.again(k, found) if found else asked.first(alone=True)
        if not lines:
            break
        line, *others = lines
        if others:
            is_general = not says_a_number(line.repair, but=line.source)
            own = f"{line.repair}; " if is_general or asked.holds_elsewhere(line, k) else ""
            either = " or ".join(f"line {each.line}, {each.source}," for each in others)
            repair = f"{own.removeprefix('; ')}or the mistake is in {either} instead"
            return replace(line, quantity="", repair=repair, expected=None)
        if not says_a_number(f"{line.quantity} {line.repair}"):  # names hold on every network
            return line
        found.append(line)
    return _confirmed(found, probes) if found else None


def _lines_together(lines: _Lines) -> Finding | None:
    """Return the first of two lines that together explain what is wrong, which names the other.

    What to write in them is said only where it holds on networks of all sizes.
    """
    pair = _pair(lines.first(alone=False))
    if pair is None:
        return None
    first, second = pair
    if first.repair and first.repair == second.repair:  # rather what both are made of lacks it
        return None
    if says_a_number(" ".join(each.quantity + each.repair for each in pair)):
        again = _pair(lines.again(1, pair))
        if again is None or any(_differ(*both) for both in zip(pair, again, strict=True)):
            first, second = (replace(each, quantity="", repair="") for each in pair)
    quantity = second.quantity and f"it should probably be {second.quantity}"
    how = "; ".join(filter(None, (quantity, second.repair)))
    too = f"line {second.line}, {second.source}, seems to be wrong, too"
    both = [first.repair, f"{too} ({how})" if how else too]
    if (first.quantity or first.repair) and how:
        both.append("with both mended, every gradient is right")
    return replace(first, repair="; ".join(filter(None, both)), proved=False)


def _pair(lines: Sequence[Finding]) -> tuple[Finding, Finding] | None:
    """Return the best line of each of two mistakes, in their order; ``None`` for another number."""
    of_each = {each.number: each for each in reversed(lines)}
    if len(of_each) != 2:
        return None
    first, second = sorted(of_each.values(), key=lambda each: each.line or 0)
    return first, second


def _differ(one: Finding, other: Finding) -> bool:
    """Whether something else is said of a line on another network."""
    said = [(each.line, each.source, each.quantity, each.repair) for each in (one, other)]
    return said[0] != said[1]


class _Lines:
    """The lines that explain what is wrong with a backward pass on a network.

    What is found on the first is looked for in its own lines alone on another.
    """

    def __init__(self, backward: Callable[..., Any], course: Course, hints: Hints) -> None:
        self.backward, self.course, self.hints = backward, course, hints
        self.probes = line_probes(course)

    def first(self, alone: bool) -> list[Finding]:
        """Return what explains it on the first network, each alone or not."""
        found = self._told(lambda: self._on_first.found(alone))
        if found or not self._is_right_on_first:
            return found
        # A bound, for one, is seldom reached: so where something is wrong.
        probes = enumerate(make_probes(self.course))
        wrong = [e for k, e in probes if not is_right(self.course, k, ask(self.backward, e))]
        self.probes = [*wrong, *self.probes][:2]
        del self._on_first
        return self._told(lambda: self._on_first.found(alone))

    def again(self, k: int, found: Sequence[Finding]) -> list[Finding]:
        """Return what explains it on another network, where as many lines were found."""
        lines = {each.line for each in found if each.line}
        return self._told(lambda: self._on(k, lines).found(alone=len(found) == 1))

    def holds_elsewhere(self, line: Finding, k: int) -> bool:
        """Return whether the same is to be written on a network other than the one of a line."""
        others = [j for j in range(len(self.probes)) if j != k]
        return any(each.repair == line.repair for j in others for each in self.again(j, [line]))

    @cached_property
    def _on_first(self) -> WrongLines:
        return self._on(0, ())

    def _on(self, k: int, lines: Collection[int]) -> WrongLines:
        course, probes = self.course, self.probes
        here, *others = (
            (course_loss(course, each.widths), each.arguments)
            for each in (probes[k], *probes[:k], *probes[k + 1 :])
        )
        loss, arguments = here
        asked = self.hints, course.returns == "biases weights", lines
        return WrongLines(loss, self.backward, arguments, *asked, elsewhere=others)

    @property
    def _is_right_on_first(self) -> bool:
        return "_on_first" in vars(self) and self._on_first.is_right

    def _told(self, asked: Callable[[], list[Finding]]) -> list[Finding]:
        function = next(reachable(self.backward), None)
        if function is None or find_text(function.__code__).text is None:  # nothing could be shown
            return []
        try:
            found = asked()
        except Exception:  # the mistake that is named is worth more than its line
            return []
        return [replace(e, quantity=_without_ours(e.quantity, self.course)) for e in found]


def _without_ours(quantity: str, course: Course) -> str:
    """Return what a line should be, if it is said with names that a student knows, or else "".

    Of the loss that a course's networks have only z and f do, each in the course's own layout.

    >>> course = Course("columns", layers=2)
    >>> [_without_ours(each, course) for each in ("∂L/∂z2.T", "∂L/∂A[0]", "the loss's f.T")]
    ['∂L/∂z2', '∂L/∂A[0]', "the loss's f1"]
    >>> [_without_ours(each, course) for each in ("∂L/∂(f @ weights[i])", "the loss's z3")]
    ['', '']
    """
    said = re.sub(r"\b([zf])(\d*)(?:\.T)?(?![\w.])", lambda e: e[1] + (e[2] or "1"), quantity)
    words = {*re.findall(r"[^\W\d]\w*", said)} - {"L", "T", "the", "loss", "s"}
    known = {word for name in names_of_arguments(course) for word in re.findall(r"\w+", name)}
    known |= {word for name in course.leaf_names.values() for word in re.findall(r"\w+", name)}
    # A softmax shifts its z, which is one more in a trace and none in a report.
    known |= {f"{letter}{i}" for letter in "zf" for i in range(1, course.layers + 1)}
    is_own = words <= known
    return said if is_own and "@" not in said else ""


def _confirmed(found: Sequence[Finding], probes: Sequence[Probe]) -> Finding:
    """Return a line as it is wrong on networks of all sizes, or say that it is one network's."""
    first, last = found[0], found[-1]
    sizes = [{"N": each.N, "n_K": each.widths[-1]} for each in probes]
    quantity, repair = (
        in_sizes(each, sizes)
        for each in zip(*((line.quantity, line.repair) for line in found), strict=True)
    )
    is_same = (first.line, first.source) == (last.line, last.source)
    if len(found) == len(probes) and is_same and quantity is not None and repair is not None:
        return replace(first, quantity=quantity, repair=repair)
    units, many = in_words([*map(str, probes[0].widths)]), probes[0].N
    samples = f"{many} sample{'s' * (many > 1)}"
    where = first.repair and f"{first.repair}, on a network of {units} units with {samples}"
    return replace(first, repair=where, proved=False)


def with_line(report: Report, line: Finding | None, course: Course) -> Report:
    """Return a report whose best finding says at which line it is, and what is wrong there.

    What is missing has no line, and is missing as well when another one is mended.  What
    raises has said what is wrong.
    """
    if line is None or not report.findings:
        return report
    findings = [*report.findings]
    for k, each in enumerate(findings):
        if each.mistake == "raised_exception":
            findings[k] = replace(each, line=line.line, source=line.source)
            return replace(report, findings=tuple(findings))
    given = [each.mistake != "missing_gradient" for each in findings]
    best = given.index(True) if any(given) else 0
    findings[best] = replace(
        findings[best],
        message=_SUPERSEDED.sub("" if line.proved else r"\g<0>", findings[best].message),
        line=line.line,
        source=line.source,
        quantity=_in_own_names(line.quantity, course),
        repair=_in_own_names(line.repair, course),
        proved=line.proved and all(given),
        given=line.given,
        expected=line.expected,
        of=line.of,
        elsewhere=_is_of_another_batch(line, course),
    )
    return replace(report, findings=tuple(findings))


def _is_of_another_batch(line: Finding, course: Course) -> bool:
    """Whether a line's values are not those of the batch that the gradients are told of.

    A shape in which no batch has a part is the same.
    """
    if course.N_is_1 or line.given is None or line.expected is None:
        return False
    shapes = np.shape(line.given), np.shape(line.expected)
    return shapes[0] == shapes[1] or any(line_probes(course)[0].N in each for each in shapes)


def _in_own_names(text: str, course: Course) -> str:
    """Return a text in which parameters have a course's names in place of the tracer's.

    >>> course = Course(parameters="dict", layers=2)
    >>> _in_own_names('∂L/∂parameters["W2"] and W21', course)
    '∂L/∂W2 and W21'
    """
    given = make_probes(course)[0].arguments
    words = names_of_arguments(course)
    traced: list[str] = []
    for word, tree in zip(words, given, strict=True):
        if word in argument_names(course, "parameters"):
            traced += [read_as for read_as, _ in pytree.entries(word, tree)]
    if len(traced) != len(course.leaf_names):  # one vector
        return text
    return renamed(text, dict(zip(traced, course.leaf_names.values(), strict=True)))
