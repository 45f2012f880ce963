"""A report as HTML: what ``str(report)`` says, with the code and heat maps of what is wrong.

It has to be read in JupyterLab, in a grader's feedback page and on GitHub, with and
without trust in the notebook.  So it is plain HTML without a script, and its text is
whole without its style: a page that strips the style sheet keeps the colours of the
light theme, one that strips all style keeps the numbers and the marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from backprop_nb.checking.excerpt import CodeLine, function_lines
from backprop_nb.checking.report import Checked, Finding, Report, are_numbers, beginning_of
from backprop_nb.errors import counted
from backprop_nb.tracing.source import Source
from backprop_nb.views import numbers
from backprop_nb.views.palette import (
    LIGHT,
    diverging,
    heat_property,
    ink,
    palette_sheet,
)
from backprop_nb.views.schema import Family

_RAMP = 11
_WORST = "∗"
_WRONG = "✗"
_WORDS = {"adjoint": "gradients", "value": "values"}


def report_bundle(report: Report) -> dict[str, Any]:
    """Return a report for a notebook: as HTML, and as the text that says the same.

    >>> from backprop_nb import check_gradient
    >>> bundle = report_bundle(check_gradient(lambda x: x * x, 5.0, 3.0))
    >>> bundle["text/plain"].splitlines()[0]
    '<lambda>: 0 of 1 gradients right.'
    >>> "expected" in bundle["text/html"]
    True
    """
    return {"text/html": report_html(report), "text/plain": str(report)}


def report_html(report: Report) -> str:
    """Return a report as HTML that needs nothing from elsewhere.

    Heat maps show what was given, and with plain hints what was expected and the
    difference, all on one scale; the entry that differs most is marked.  Where a line is
    known to be wrong, the function around it stands above them.
    """
    body = "".join(_Page(report).parts())
    return f'<div class="bpnb bpnb-report"><style>{_sheet()}</style>{body}</div>'


@cache
def _sheet() -> str:
    own = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    return f"{palette_sheet()}\n{own}"


class _Page:
    """The parts of the page, from top to bottom."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.shown = [each for each in report.parameters if _has_heat(each, report)]
        self.scales = {
            family: numbers.fit_scale(
                [array for each in self.shown if _family(each) == family
                 for _, array in _arrays(each, report)],
                log=True,
            )
            for family in dict.fromkeys(map(_family, self.shown))
        }  # fmt: skip

    def parts(self) -> Iterator[str]:
        report = self.report
        score = "" if report.is_open else f"Score {report.score:.2f}"
        yield f'<p class="bpnb-headline"><strong>{escape(report.headline)}</strong> {score}</p>'
        if report.choice:
            yield f"<p>{escape(report.choice)}</p>"
        of_lines = {each.message for each in report.findings if each.line is not None}
        others = [each for each in report.messages if each not in of_lines]
        for message in report.messages:
            if message in of_lines:
                yield f'<p class="bpnb-finding">{_led(message)}</p>'
        yield from self._code()
        yield from self._lines()
        if report.is_open:
            yield from (f"<p>{escape(message)}</p>" for message in others)
            return
        for message in others:
            yield f'<p class="bpnb-finding">{_led(message)}</p>'
        width = max((len(each.name) for each in report.parameters), default=0)
        rows = "".join(map(self._parameter, report.parameters))
        yield f'<ul style="--name: {width}ch">{rows}</ul>'
        if self.shown:
            yield self._legend()
        for note in report.notes:
            yield f'<p class="bpnb-note">Note: {escape(note)}</p>'
        if report.printed:
            yield f"<p>It printed:</p><pre>{escape(beginning_of(report.printed))}</pre>"

    def _code(self) -> Iterator[str]:
        """Yield each function with the wrong expressions in it."""
        functions: dict[Any, list[Source]] = {}
        for place in (each.place for each in self.report.findings):
            if place is not None:
                key = (place.filename, place.around, place.block)
                functions.setdefault(key, []).append(place)
        for places in functions.values():
            lines = function_lines(places)
            width = max(len(str(each.number)) for each in lines if isinstance(each, CodeLine))
            where = ", ".join(dict.fromkeys(str(place.start[0]) for place in places))
            code = "".join(_code_line(each, width) for each in lines)
            yield (
                f'<div class="bpnb-code" role="group" tabindex="0" '
                f'aria-label="Your code; {_WRONG} marks what is wrong: line {where}">'
                f"<pre><code>{code}</code></pre></div>"
            )

    def _lines(self) -> Iterator[str]:
        """Yield what each wrong expression gives as heat maps on a scale of its own."""
        for finding in self.report.findings:
            family, worst, named = family_of(finding), finding.worst, [*_values(finding)]
            if finding.advice:
                yield f"<p>{escape(finding.advice)}</p>"
            if not named or self.report.shown_in(finding):  # whose numbers stand below
                continue
            scale = numbers.fit_scale([array for _, array in named], log=True)
            heats = "".join(_heat(family, scale, worst, *each) for each in named)
            yield f'<div class="bpnb-heats">{heats}</div>'
            mark = f"; {_WORST} differs most" if worst is not None else ""
            if finding.difference:
                yield f"<p>{escape(finding.difference)}</p>"
            yield f'<p class="bpnb-key">{_ramp(family)} {escape(scale.text)}{mark}.</p>'

    def _parameter(self, checked: Checked) -> str:
        style, sign = ("right", "✓") if checked.ok else ("wrong", _WRONG)
        style, sign = ("open", "…") if checked.is_open else (style, sign)
        line = (
            f'<span class="bpnb-sign">{sign}</span> <code class="bpnb-name">{escape(checked.name)}'
            f"</code> {escape(checked.summary(self.report.hints))}"
        )
        if checked in self.shown:
            family = _family(checked)
            worst = checked.worst if _fits(checked) else None
            heats = "".join(
                _heat(family, self.scales[family], worst, *each)
                for each in _arrays(checked, self.report)
            )
            state = " open" if checked is self._first() else ""
            line = (
                f"<details{state}><summary>{line}</summary>"
                f'<div class="bpnb-heats">{heats}</div></details>'
            )
        return f'<li class="bpnb-{style}">{line}</li>'

    def _first(self) -> Checked | None:
        """Return what is to be looked at first: what the best finding is about."""
        findings = self.report.findings
        again = next(filter(None, map(self.report.shown_in, findings)), None)
        named = [*([again.name] if again else []), *(each.parameter for each in findings)]
        return min(
            self.shown,
            key=lambda each: named.index(each.name) if each.name in named else len(named),
            default=None,
        )

    def _word(self, family: str) -> str:
        """Return what a colour is of: gradients, or which of the answers."""
        word, things = _WORDS[family], self.report.things
        return word if word == things else f"{things} ({word})"

    def _legend(self) -> str:
        marks = [
            f"{_ramp(family)} {escape(self._word(family))} {escape(scale.text)}"
            for family, scale in self.scales.items()
        ]
        # Arrays of another shape have no entry that differs most.
        if any(each.worst is not None and _fits(each) for each in self.shown):
            marks.append(f"{_WORST} differs most")
        return f'<p class="bpnb-key">{"; ".join(marks)}.</p>'


def _led(message: str) -> str:
    """Return a message with its first sentence, which says where and what, in bold."""
    lead, stop, rest = message.partition(". ")
    text = f"<strong>{escape(lead)}{stop.strip()}</strong> {escape(rest)}".strip()
    return text.replace("σ′(", "σ′\N{WORD JOINER}(")  # no line may end within it


def _code_line(line: CodeLine | int, width: int) -> str:
    """Return a line of code as HTML, or how many are left out."""
    if isinstance(line, int):
        more = f"{'⋯':>{width + 2}}   {counted(line, 'line')} more"
        return f'<span class="bpnb-left-out">{more}\n</span>'
    text, done = "", 0
    for start, end in line.marks:
        if start < done:  # an expression within one that is marked already
            continue
        text += f"{escape(line.text[done:start])}<mark>{escape(line.text[start:end])}</mark>"
        done = end
    text += escape(line.text[done:])
    sign = _WRONG if line.starts else " "
    style = ' class="bpnb-here"' if line.marks else ""
    return f"<span{style}><b>{sign}</b> {line.number:>{width}} | {text}\n</span>"


def _heat(
    family: str,
    scale: numbers.Scale,
    worst: tuple[int, ...] | None,
    caption: str,
    array: np.ndarray[Any, Any],
) -> str:
    shown = numbers.table(array)[: numbers.ROWS, : numbers.COLUMNS]
    heats = numbers.heats(shown, scale, digits=3)
    columns = shown.shape[1]
    marked = None if worst is None else _cell_of(worst, array.shape, columns)
    cells = [
        _cell(family, heat, numbers.short(number), k == marked)
        for k, (heat, number) in enumerate(zip(heats, shown.ravel().tolist(), strict=True))
    ]
    rows = "".join(
        f"<tr>{''.join(cells[k : k + columns])}</tr>" for k in range(0, len(cells), columns)
    )
    omitted = array.size - shown.size
    more = f", {omitted} more" if omitted else ""
    title = escape(f"{caption}, {numbers.shape_text(array.shape)}{more}")
    return f'<div><p>{title}</p><table aria-label="{title}"><tbody>{rows}</tbody></table></div>'


def _values(finding: Finding) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    if are_numbers(finding.given):
        yield f"line {finding.line} gives", finding.given
    if are_numbers(finding.expected):
        yield f"it should give {finding.quantity}".rstrip(), finding.expected


def family_of(finding: Finding) -> Family:
    """Return the colours of a quantity: one that has a name other than ∂L/∂z is a value."""
    return "value" if finding.quantity and "∂" not in finding.quantity else "adjoint"


def _fits(checked: Checked) -> bool:
    """Whether what was given has the shape that was expected."""
    return checked.given is not None and checked.given.shape == checked.expected.shape


def _has_heat(checked: Checked, report: Report) -> bool:
    """Whether there are numbers to be shown that are wrong."""
    given = checked.given
    return (
        report.shows_given
        and not checked.ok
        and given is not None
        and given.size > 0
        and checked.expected.dtype.kind in "fiub"
    )


def _arrays(checked: Checked, report: Report) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    given, expected = checked.given, checked.expected
    assert given is not None
    yield "given", given
    if report.shows_expected:
        yield "expected", expected
        if _fits(checked):
            yield "given − expected", np.subtract(given, expected)


def _family(checked: Checked) -> str:
    """Return the colours: of a gradient, whose name starts with a d, or of a value."""
    return "adjoint" if checked.name.startswith("d") else "value"


def _cell_of(index: tuple[int, ...], shape: tuple[int, ...], columns: int) -> int | None:
    """Return which of the shown cells holds an entry, if it is among them."""
    *above, last = index or (0,)
    row = int(np.ravel_multi_index(above, shape[:-1])) if above else 0
    if last >= columns or row >= numbers.ROWS:
        return None
    return row * columns + last


def _cell(family: str, heat: float, text: str, worst: bool) -> str:
    style = f"{_background(family, heat)}; color: {ink(diverging(LIGHT, family, heat))}"
    kind, mark = ("bpnb-on bpnb-worst", _WORST) if worst else ("bpnb-on", "")
    return f'<td class="{kind}" style="{style}">{escape(text)}{mark}</td>'


def _ramp(family: str) -> str:
    heats = np.linspace(-1, 1, _RAMP).tolist()
    styles = [_background(family, heat) for heat in heats]
    return "".join(f'<span class="bpnb-shade" style="{style}"></span>' for style in styles)


def _background(family: str, heat: float) -> str:
    """Return a colour that follows the theme, and a plain one where no style sheet is kept."""
    plain = diverging(LIGHT, family, heat)
    return f"--cell: {heat_property(family, heat)}; background-color: {plain}"
