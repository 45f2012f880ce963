"""Which mistake a backward pass contains: its answers judged, and said in words.

Where several mistakes explain what a submission does, all are named; where none
does, that is said.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from backprop_nb.checking.asking import Answers
from backprop_nb.checking.compare import (
    MISSING,
    agrees,
    compare,
    factor_in_words,
    factor_of,
    fault_in_words,
    fault_of,
    is_empty,
    is_narrow,
)
from backprop_nb.checking.convention import DEFAULT, Convention, Course
from backprop_nb.checking.mistake import PlacedMistake
from backprop_nb.checking.packing import course_loss
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.report import NOT_WRITTEN, Array, Checked, Finding, Hints, Report
from backprop_nb.checking.returned import Answer
from backprop_nb.checking.search import Explanation, Search, backward_order, is_right
from backprop_nb.checking.unexplained import (
    changed_in_words,
    factors_in_words,
    loss_in_words,
    option_meant,
    unsteady_in_words,
    updated_in_words,
)
from backprop_nb.checking.wording import spoken_report
from backprop_nb.errors import in_words
from backprop_nb.network.document import equation as equation_of

SUBJECT = "backward"
_IN_ORDER = "in the order of the backward pass"
_NEARLY = 2e-3
"""Errors below this look like rounding."""
_MAX_TIES = 3
"""So many explanations that are equally good are named."""


UNKNOWN = " No mistake that has a name here explains it, alone or with another one."
"""Said of values that nothing in the catalogue explains."""


def judge(answers: Answers, course: Course, hints: Hints = "plain") -> Report:
    """Return the report on what a backward pass answered to the probes of a course.

    Where something is kept between calls the first alone is explained, and the gradients of all of
    them count: each is as right as in the worst.
    """
    with np.errstate(all="ignore"):  # 1e308 is an answer too
        failures = [each.failure for each in (*answers.answers, answers.again)]
        return spoken_report(_Judge(answers, course, hints).report(), course, failures)


class _Judge:
    """Holds the right gradients beside the given ones."""

    def __init__(self, answers: Answers, course: Course, hints: Hints) -> None:
        self.all, self.course, self.hints = answers, course, hints
        # What is stored from call to call spoils all but the first, which alone counts then.
        self.answers = answers.answers if answers.repeats else answers.answers[:1]
        self.search = Search(course, self.answers)
        self.order = backward_order(self.search.names)

    def report(self) -> Report:
        parameters = tuple(map(self._checked, self.search.names))
        wrong = not all(each.ok for each in parameters)
        return Report(
            SUBJECT,
            tuple(map(self._worst, parameters)),
            tuple(self._findings(parameters)) if wrong else (),
            tuple(self._offences()),
            self._notes(parameters),
            self.all.printed,
            self.hints,
        )

    def _checked(self, name: str, only_where_it_runs: bool = False) -> Checked:
        """Return a parameter on the first probe on which it is wrong, else on the first."""
        pairs = zip(self.answers, self.search.right, strict=False)
        checked = [
            _compare(name, answer, right[name])
            for answer, right in pairs
            if not (only_where_it_runs and answer.failure)
        ]
        return next((each for each in checked if not each.ok), checked[0])

    def _worst(self, checked: Checked) -> Checked:
        """Return a parameter as it is on a call on which it is wrong, if there is any."""
        if self.all.repeats or not checked.ok:
            return checked
        right, name = self.search.right, checked.name
        calls = [(self.all.again, right[0]), *zip(self.all.answers, right, strict=True)]
        every = (_compare(name, answer, expected[name]) for answer, expected in calls)
        return next((each for each in every if not each.ok), checked)

    def _notes(self, parameters: Sequence[Checked]) -> tuple[str, ...]:
        first = self.answers[0].gradients
        names = [
            each.name
            for each in parameters
            if each.remark.endswith("float32")
            or (each.name in first and is_narrow(first[each.name]))
        ]
        notes = [self._about_loss()]
        if names:
            notes.append(
                f"{in_words(names)}: computed in a precision below float64, and judged to that of "
                "float32."
            )
        return tuple(filter(None, notes))

    def _about_loss(self) -> str:
        """Say that the loss that is returned is another one, if so; it is not what is judged."""
        given = {k: each.loss for k, each in enumerate(self.answers) if each.loss is not None}
        probes = [make_probes(self.course)[k] for k in given]
        right = [float(course_loss(self.course, each.widths)(*each.arguments)) for each in probes]
        sizes = [{"N": each.N, "n_K": each.widths[-1]} for each in probes]
        return loss_in_words([*given.values()], right, sizes, self.hints)

    # -- what explains the values ----------------------------------------------

    def _findings(self, parameters: Sequence[Checked]) -> Iterator[Finding]:
        explanations = self.search.explanations()
        failures = [answer for answer in self.answers if answer.failure]
        said: dict[str, str] = {}
        for together in explanations[:_MAX_TIES]:
            for placed in sorted(together, key=self._place):
                if placed.mistake.id not in said:
                    finding = self._finding(placed, together, explanations, said)
                    said[finding.mistake] = finding.parameter
                    yield _where_it_runs(finding) if failures else finding
        rank = 2 if explanations else 1
        if not failures:
            yield from self._faults(parameters, rank, explained=bool(explanations))
            return
        yield self._failed(failures[0], rank)
        if not explanations and len(failures) < len(self.answers):
            # Where it runs more can be said than that it fails elsewhere.
            there = [self._checked(name, only_where_it_runs=True) for name in self.search.names]
            for finding in self._faults(there, rank, explained=False):
                # That nothing at all is right is no news beside the line that raises.
                if (finding.mistake, finding.parameter) != ("not_recognised", self.order[0]):
                    yield _where_it_runs(finding)

    def _place(self, placed: PlacedMistake) -> int:
        """Return where a mistake shows first, counted in the order of the backward pass."""
        return self.order.index(self.search.first_spoiled(placed))

    def _finding(
        self,
        placed: PlacedMistake,
        together: Explanation,
        explanations: Sequence[Explanation],
        said: Mapping[str, str],
    ) -> Finding:
        """Say a mistake, after those that have been said: by their ids their parameters."""
        parameter = self.search.first_spoiled(placed)
        others = [each for each in together if each is not placed]
        ties = [each for each in explanations if each is not together]
        lead = self._lead(parameter, said, instead=together is not explanations[0])
        K = self.course.layers
        text = message(placed, K, parameter, others, ties, self.hints, lead, not said, self.course)
        if len(others) == 1 and others[0].mistake.id in said:  # which named both
            text = text.replace(_together(others, K, self.course), ", the second of the two")
        return Finding(placed.mistake.id, parameter, 1, text, placed.made_at(K, self.course))

    def _lead(self, parameter: str, said: Mapping[str, str], instead: bool) -> str:
        """Say what is wrong first, or what a mistake makes wrong that is made too, or instead."""
        first = next(iter(said.values()), parameter)
        if not said or (self.hints == "none" and parameter == first):
            return self._wrong(parameter)
        if self.hints == "none":  # not even that there are two mistakes
            return f"{parameter} is wrong, too."
        mistake = "Or it is another mistake" if instead else "There is a second mistake"
        return f"{mistake}: {parameter} is the first gradient that it makes wrong."

    def _wrong(self, name: str, which: str = "first") -> str:
        """Say that a gradient is wrong, and which of several."""
        several = f"the {which} gradient that is wrong, {_IN_ORDER}"
        return f"{name} is {several if self._others else 'wrong'}."

    @property
    def _others(self) -> str:
        return " and all others" if len(self.order) > 1 else ""

    # -- what shows without the catalogue ----------------------------------------

    def _failed(self, answer: Answer, rank: int) -> Finding:
        kind = "raised_exception" if answer.raised else "missing_gradient"
        if answer.failure.startswith(NOT_WRITTEN):
            kind = "not_written"
        first = self.order[0]
        where = ""
        running = [k for k, each in enumerate(self.answers) if not each.failure]
        if running:
            failing = self.answers.index(answer)
            where = f" This happens with layers of {self._units(failing)}; with layers of "
            where += f"{self._units(running[0])} it runs."
            if all(is_right(self.course, k, self.answers[k]) for k in running):
                where += (
                    " There everything is right: look for rows and columns that are exchanged, "
                    "and for sizes that are written as numbers."
                )
        text = f"{first}{self._others}: {answer.failure}.{where}"
        if answer.raised:
            text += option_meant(answer.failure, self.course)
        return Finding(kind, first, rank, text)

    def _units(self, k: int) -> str:
        return f"{in_words([*map(str, make_probes(self.course)[k].widths)])} units"

    def _faults(
        self, parameters: Sequence[Checked], rank: int, explained: bool
    ) -> Iterator[Finding]:
        """Say what shows without the catalogue; of values that nothing explains, the first."""
        by_name = {each.name: each for each in parameters}
        wrong = [by_name[each] for each in self.order if not by_name[each].ok]
        if wrong and not explained and (text := self._misplaced(wrong)):
            yield Finding("wrong_shape", wrong[0].name, rank, text)
            return
        groups: dict[tuple[str, str, Hashable], list[Checked]] = {}
        for checked in wrong:
            if not (explained and self._is_explained(checked)):
                groups.setdefault((*fault_of(checked), _misfit(checked)), []).append(checked)
        for (kind, reason, _), group in groups.items():
            first, *rest = group
            if kind == "not_recognised":
                yield from self._not_recognised(group, by_name, rank)
                continue
            text = fault_in_words(first, kind, reason, self.hints)
            if rest:
                text += f" The same is wrong with {in_words([each.name for each in rest])}."
            layers = tuple(sorted({_layer(each.name) for each in group}))
            yield Finding(kind, first.name, rank, text, layers)

    def _is_explained(self, checked: Checked) -> bool:
        """Whether a mistake in the values, that was found, accounts for a gradient too."""
        # It may be one that has other shapes; but one axis more or less is none of them.
        given, expected = checked.given, checked.expected
        return (
            given is not None
            and not is_empty(given, expected)
            and (given.shape == expected.shape or given.squeeze().shape != expected.squeeze().shape)
        )

    def _misplaced(self, wrong: Sequence[Checked]) -> str:
        """Say that the two lists have changed places, or run the wrong way, if so."""
        if self.course.parameters != "lists" or not self.course.has_bias:
            return ""
        first, names = wrong[0].name, self.search.names
        swapped = {name: f"d{'b' if name[1] == 'A' else 'A'}{name[2:]}" for name in names}
        turned = {name: f"{name[:3]}{self.course.layers - _layer(name)}]" for name in names}
        if self.search.fits_as(swapped):
            order = "(db, dA)" if self.course.returns == "biases weights" else "(dA, db)"
            return f"{first} and all others: dA and db have changed places. Return {order}."
        if any(turned[each] != each for each in turned) and self.search.fits_as(turned):
            return (
                f"{first} and others: the lists run backwards, from the last layer to the first. "
                "dA[0] and db[0] are the gradients of A[0] and b[0]."
            )
        return ""

    def _not_recognised(
        self, group: Sequence[Checked], by_name: Mapping[str, Checked], rank: int
    ) -> Iterator[Finding]:
        """Say which gradient is wrong first, what is right about it, and what it is made of.

        What is wrong with one gradient of a layer only says nothing on those below, so they
        are told as well; what is wrong with δ spoils all of them, and is told once.
        """
        first = group[0].name
        above = (by_name[each] for each in self.order[: self.order.index(first)])
        which = "first" if all(each.ok for each in above) else "next"
        lead = self._wrong(first, which)
        unknown = UNKNOWN if self.hints != "none" else ""
        if self.hints not in ("clear", "plain"):
            yield Finding("not_recognised", first, rank, f"{lead}{unknown}")
            return
        mistake, common = self._alike(by_name, first)
        if common:
            yield Finding(mistake, first, rank, common)
            return
        said: dict[tuple[str, str, bool], tuple[list[str], str]] = {}
        for checked in group:
            look, spoils_below = self._look(checked, by_name)
            factor = self._factor(checked.name) if self.hints == "plain" else ""
            kind = checked.name[:2], factor, spoils_below
            if kind in said:
                said[kind][0].append(checked.name)
                continue
            text = f"{lead}{unknown}"
            if said:
                text = f"{checked.name} is wrong, too."
            its = f" It {factor}." if factor else _nearly(checked)
            said[kind] = [checked.name], f"{text}{its}{look}"
            if spoils_below:
                break
        for names, text in said.values():
            if len(names) > 1:
                text = f"{text} The same is wrong with {in_words(names[1:])}."
            yield Finding("not_recognised", names[0], rank, text)

    def _look(self, checked: Checked, by_name: Mapping[str, Checked]) -> tuple[str, bool]:
        """Say where to look for what is wrong with a gradient, and whether δ is wrong there."""
        name, layer, K = checked.name, _layer(checked.name), self.course.layers
        delta = f"δ_{layer}"
        at = [each for each in by_name if _layer(each) == layer]
        twins = [each for each in at if each != name]
        below = [each.ok for other, each in by_name.items() if _layer(other) < layer]
        above = [each.ok for other, each in by_name.items() if _layer(other) > layer]
        if any(by_name[twin].ok for twin in twins):
            right = f"{twins[0]} is right, and so is {delta}"
            return f" {right}: look at how {name} is made of {delta}.", False
        wrong_too = f"{twins[0]} is wrong too" if twins else "It may be δ or the gradient itself"
        if below and all(below):
            return (
                f" {wrong_too}, but all below is right, and so is {delta}: look at how "
                f"{' and '.join(at)} {'are' if twins else 'is'} made of {delta}."
            ), False
        look = f"look at {delta}, with which the way back begins"
        if layer < K:
            look = f"look at how {delta} is made of δ_{layer + 1}"
            wrong_too += ", and the layers above are right" if all(above) else ""
        return f" {wrong_too}: {look}.", True

    def _factors(self, name: str) -> list[float | None]:
        """Return for each network how many times the right gradient the given one is."""
        return [
            factor_of(answer.gradients[name], right[name])
            if name in answer.gradients and answer.gradients[name].shape == right[name].shape
            else None
            for answer, right in zip(self.answers, self.search.right, strict=False)
            if not answer.failure
        ]

    def _factor(self, name: str) -> str:
        """Say how many times the right gradient the given one is, if it is so everywhere."""
        return factors_in_words(self._factors(name), self._sizes())

    def _sizes(self) -> list[dict[str, int]]:
        probes = make_probes(self.course)
        return [
            {"N": probe.N, "n_K": probe.widths[-1]}
            for probe, answer in zip(probes, self.answers, strict=False)
            if not answer.failure
        ]

    def _alike(self, by_name: Mapping[str, Checked], first: str) -> tuple[str, str]:
        """Say what all gradients are, if it is the same, and which mistake that is."""
        words, clear = self._factor_of_all(by_name), "off by one and the same factor"
        kind = "step_returned" if "an update" in words else "not_recognised"
        if not words and (words := self._updated(first)):
            kind, clear = "update_returned", "of the size of the parameters: are they gradients?"
        if words and self.hints != "plain":
            are = f"{self._others} are" if self._others else " is"
            return "not_recognised", f"{first}{are} {clear}{'.'[clear[-1] == '?' :]}"
        lead = "Like all others, " if self._others else ""
        return kind, f"{lead}{first} {words}." if words else ""

    def _updated(self, name: str) -> str:
        """Say that it returns the parameters after an update, if so."""
        right, probes = self.search.right, make_probes(self.course)
        places = [(k, each) for k in range(len(self.answers)) for each in self.search.names]
        given = [self.answers[k].gradients.get(each, np.empty(0)) for k, each in places]
        return updated_in_words(
            given,
            [right[k][each] for k, each in places],
            [getattr(probes[k], each[1])[_layer(each) - 1] for k, each in places],
            name[1:],
        )

    def _factor_of_all(self, by_name: Mapping[str, Checked]) -> str:
        """Say by which factor all gradients are off, if it is one and the same."""
        factors = [self._factors(name) for name in by_name]
        first = factors[0]
        if len(by_name) < 2 or not all(
            one is not None and other is not None and abs(one - other) <= 1e-6 * abs(one)
            for each in factors
            for one, other in zip(first, each, strict=True)
        ):
            return ""
        words = factors_in_words(first, self._sizes(), update=True)
        if first[0] is None or words == factor_in_words(first[0]):
            return ""  # a number that stands for nothing is part of δ
        return words

    def _offences(self) -> Iterator[Finding]:
        changed = list(dict.fromkeys(name for each in self.all.answers for name in each.modified))
        if changed:
            yield Finding("input_modified", changed[0], 1, changed_in_words(changed))
        if not self.all.repeats:
            yield self._unsteady()
        for name in ("dA", "db"):
            given = [each.invalid[name] for each in self.answers if name in each.invalid]
            if given:
                last = f"{name}[{self.course.layers - 1}]"
                text = f"{name} {given[0]}, and should have one for each layer, up to {last}."
                yield Finding("wrong_shape", last, 1, text)

    def _unsteady(self) -> Finding:
        """Say how the answer to the first probe changed when it was asked again."""
        once, again = self.all.answers[0], self.all.again
        differing = once.differs_in(again)
        name = next((each for each in self.order if each in differing), self.order[0])
        first, second = once.gradients.get(name), again.gradients.get(name)
        is_doubled = first is not None and second is not None and agrees(second, 2 * first)
        text = unsteady_in_words(name, is_doubled)
        return Finding("state_kept_between_calls", name, 1, text)


def _misfit(checked: Checked) -> Hashable:
    """Return how a shape differs from the right one: alike for those that are wrong alike."""
    if checked.given is None:
        return checked.remark
    given, expected = checked.given.shape, checked.expected.shape
    if given == expected or given == expected[::-1]:
        return given == expected
    return len(given), len(expected), *(n == m for n, m in zip(given, expected, strict=False))


def message(
    placed: PlacedMistake,
    K: int,
    parameter: str,
    others: Sequence[PlacedMistake],
    ties: Sequence[Explanation],
    hints: Hints,
    lead: str,
    first: bool = True,
    convention: Convention = DEFAULT,
) -> str:
    """Say a mistake, as plainly as the hints allow, with what it cannot be told from.

    ``lead`` is the sentence on what is wrong first, which is always said; ``others``
    are the mistakes that it is made together with, and K is the number of layers.
    ``first`` is whether what it makes wrong is the first that is wrong at all.
    """
    mistake, whole = placed.mistake, placed.is_whole(K, convention)
    words = mistake.words(convention)
    if hints == "none":
        return lead
    # A hint says what is right, too, and that is not so where another mistake is made.
    alone = "A hint for this one alone: " if others else ""
    if hints == "vague":
        return f"{lead} {alone}{words.hints[0] if whole else _UNLIKE}"
    what = "that is wrong" if first else "that it makes wrong"
    if hints == "clear":
        quantity = mistake.first_in(convention).title if whole else placed.symbols(K)
        hint = words.hints[1] if whole else _COMPARE
        return f"{lead} The first quantity {what} is {quantity}. {alone}{hint}"
    together = _together(others, K, convention)
    quantity = (
        mistake.first_in(convention).title
        if whole
        else f"{placed.symbols(K)}; the other layers do it right"
    )
    tag = mistake.equation if convention.plain else ""
    equation = f" It breaks equation [{tag}], {equation_of(tag).text}." if tag else ""
    either = [_titles(each, K, convention) for each in ties[:_MAX_TIES]]
    same = (
        f" The gradients are just as consistent with {' or with '.join(either)}." if either else ""
    )
    begins = "Wrong first" if first else "What it makes wrong first"
    return (
        f"{parameter}: consistent with “{placed.title(K, convention)}”{together}. "
        f"{begins}, {_IN_ORDER}: {quantity}. {words.explanation}{equation}{same}"
    )


# Of a mistake that is made at some layers only.
_UNLIKE = "Not all layers are treated alike. Which of them is the odd one out?"
_COMPARE = "At the other layers the same is right: what is different here?"


def _together(others: Sequence[PlacedMistake], K: int, convention: Convention) -> str:
    return f", together with {_titles(others, K, convention)}" if others else ""


def _titles(placed: Sequence[PlacedMistake], K: int, convention: Convention) -> str:
    return " and ".join(f"“{each.title(K, convention)}”" for each in placed)


# --- small helpers ----------------------------------------------------------


def _layer(name: str) -> int:
    """Return the layer, 1 to K, of a gradient such as ``"dA[0]"``."""
    return int(name[3:-1]) + 1


def _where_it_runs(finding: Finding) -> Finding:
    return replace(finding, message=f"Where it runs: {finding.message}")


def _nearly(checked: Checked) -> str:
    """Say that a gradient is right to a few digits, if so."""
    if not 0 < checked.error < _NEARLY:
        return ""
    return (
        f" It is nearly right: no entry is off by more than {checked.error:.1g} of the largest. "
        "Is something rounded on the way, or computed by differences?"
    )


def _compare(name: str, answer: Answer, right: Array) -> Checked:
    remark = answer.invalid.get(name, "")
    if answer.failure:  # which is told in full once, and not with every gradient
        raised = answer.failure.split(":")[0].split(" (")[0].removeprefix("it raised ")
        remark = f"{MISSING} ({raised})" if answer.raised else MISSING
        if raised == NOT_WRITTEN:
            remark = raised
    if remark:
        return Checked.wrong(name, right, remark)
    return compare(name, answer.gradients.get(name), right)
