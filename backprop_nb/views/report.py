"""A report as HTML: what ``str(report)`` says, with heat maps of what is wrong.

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

from backprop_nb.checking.report import Checked, Report, shortened
from backprop_nb.views import numbers
from backprop_nb.views.palette import (
    LIGHT,
    diverging,
    heat_property,
    ink,
    palette_sheet,
)

_RAMP = 11
_WORST = "∗"
_WORDS = {"adjoint": "gradients", "value": "values"}


def report_bundle(report: Report) -> dict[str, Any]:
    """Return a report for a notebook: as HTML, and as the text that says the same.

    Examples
    --------
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
    difference, all on one scale; the entry that differs most is marked.
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
        score = f"Score {report.score:.2f}"
        yield f'<p class="bpnb-headline"><strong>{escape(report.headline)}</strong> {score}</p>'
        for message in report.messages:
            yield f'<p class="bpnb-finding">{_led(message)}</p>'
        width = max((len(each.name) for each in report.parameters), default=0)
        rows = "".join(map(self._parameter, report.parameters))
        yield f'<ul style="--name: {width}ch">{rows}</ul>'
        if self.shown:
            yield self._legend()
        for note in report.notes:
            yield f'<p class="bpnb-note">Note: {escape(note)}</p>'
        if report.printed:
            yield f"<p>It printed:</p><pre>{escape(shortened(report.printed))}</pre>"

    def _parameter(self, checked: Checked) -> str:
        style, sign = ("right", "✓") if checked.ok else ("wrong", "✗")
        line = (
            f'<span class="bpnb-sign">{sign}</span> <code class="bpnb-name">{escape(checked.name)}'
            f"</code> {escape(checked.summary(self.report.hints))}"
        )
        if checked in self.shown:
            heats = "".join(self._heat(checked, *each) for each in _arrays(checked, self.report))
            state = " open" if checked is self._first() else ""
            line = (
                f"<details{state}><summary>{line}</summary>"
                f'<div class="bpnb-heats">{heats}</div></details>'
            )
        return f'<li class="bpnb-{style}">{line}</li>'

    def _first(self) -> Checked | None:
        """Return what is to be looked at first: what the best finding is about."""
        named = [each.parameter for each in self.report.findings]
        return min(
            self.shown,
            key=lambda each: named.index(each.name) if each.name in named else len(named),
            default=None,
        )

    def _heat(self, checked: Checked, caption: str, array: np.ndarray[Any, Any]) -> str:
        family = _family(checked)
        shown = numbers.table(array)[: numbers.ROWS, : numbers.COLUMNS]
        heats = numbers.heats(shown, self.scales[family], digits=3)
        columns = shown.shape[1]
        worst = _worst_cell(checked, array, columns)
        cells = [
            _cell(family, heat, numbers.short(number), k == worst)
            for k, (heat, number) in enumerate(zip(heats, shown.ravel().tolist(), strict=True))
        ]
        rows = "".join(
            f"<tr>{''.join(cells[k : k + columns])}</tr>" for k in range(0, len(cells), columns)
        )
        omitted = array.size - shown.size
        more = f", {omitted} more" if omitted else ""
        title = escape(f"{caption}, {numbers.shape_text(array.shape)}{more}")
        return f'<div><p>{title}</p><table aria-label="{title}"><tbody>{rows}</tbody></table></div>'

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
        return f'<p class="bpnb-legend">{"; ".join(marks)}.</p>'


def _led(message: str) -> str:
    """Return a message with its first sentence, which says where and what, in bold."""
    lead, stop, rest = message.partition(". ")
    text = f"<strong>{escape(lead)}{stop.strip()}</strong> {escape(rest)}".strip()
    return text.replace("σ′(", "σ′\N{WORD JOINER}(")  # no line may end within it


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


def _worst_cell(checked: Checked, array: np.ndarray[Any, Any], columns: int) -> int | None:
    """Return which of the shown cells holds the worst entry, if it is among them."""
    if checked.worst is None or array.shape != checked.expected.shape:
        return None
    *above, last = checked.worst or (0,)
    row = int(np.ravel_multi_index(above, array.shape[:-1])) if above else 0
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
    return "".join(f'<span class="bpnb-ramp" style="{style}"></span>' for style in styles)


def _background(family: str, heat: float) -> str:
    """Return a colour that follows the theme, and a plain one where no style sheet is kept."""
    plain = diverging(LIGHT, family, heat)
    return f"--cell: {heat_property(family, heat)}; background-color: {plain}"
