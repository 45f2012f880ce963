"""The pages for a class, each one file that fetches nothing and runs nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from backprop_nb.checking.convention import Course
from backprop_nb.classroom.summary import in_numbers, percent
from backprop_nb.errors import counted
from backprop_nb.views.numbers import subscript
from backprop_nb.views.palette import DARK, heat_property, palette_sheet, properties

_HEATS: Final = 10
_BAR = 240
_ROUND: Final[tuple[int, ...]] = (5, *range(10, 101, 10))
_MAX_OPEN = 40
"""A list that is longer is folded at first."""
_UNKNOWN = "not_recognised"

# Styles come from this package alone; a report gives each cell of a heat map its own.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def feedback_page(name: str, report: str, course: Course) -> bytes:
    """Return what a student gets back: the report, which is HTML, below the submission's name."""
    body = [
        f"<h1>Feedback on {escape(name)}</h1>",
        f'<p class="muted">{escape(conventions(course))}</p>',
        report,
    ]
    return _document(f"Feedback on {name}", body, "feedback")


def summary_page(summary: Mapping[str, Any]) -> bytes:
    """Return the summary of a class as a page, the same for the same summary."""
    heading = f"Backward passes of {counted(summary['handed_in'], 'student')}"
    body = [
        f"<h1>{heading}</h1>",
        *([f'<p class="muted">{numbers}.</p>'] if (numbers := in_numbers(summary)) else []),
        *_overview(summary),
        *_columns(_frequent(summary), _scores(summary)),
        *_heat_map(summary),
        *_lines(summary),
        *_columns(_failures(summary), _unknown(summary)),
        *_columns(_reasons(summary, "by_hand"), _reasons(summary, "left_out")),
        *_list(summary),
    ]
    return _document(heading, body, "summary")


def conventions(course: Course) -> str:
    """Return a line on how a course writes the backward pass.

    >>> conventions(Course("rows", "sum", half=True))
    'Loss ½‖y − f‖², sum over the samples; samples as rows; networks of 3 layers.'
    >>> conventions(Course(weights="in_out", activation="tanh", bias=False, l2=0.1, layers=2))
    'Loss ‖y − f‖², and 0.1·1/2·ΣW²; hidden layers tanh, output sigmoid; one sample; x @ W; \
no biases; networks of 2 layers.'
    """
    parts = [_loss(course)]
    if (course.activation, course.output) != ("sigmoid", "sigmoid"):
        parts.append(f"hidden layers {course.activation}, output {course.output}")
    parts.append(_SAMPLES.get(course.samples, f"samples as {course.samples}"))
    if course.weights == "in_out":
        parts.append("x @ W" if course.samples in ("single", "rows") else "W.T @ x")
    if not course.has_bias:
        parts.append("no biases")
    parts.append(f"networks of {counted(course.layers, 'layer')}")
    return f"{'; '.join(parts)}."


_SAMPLES: Final = {"single": "one sample", "column": "one sample as a column"}


def _loss(course: Course) -> str:
    loss = "½‖y − f‖²" if course.half else "‖y − f‖²"
    if course.loss != "squared error":
        loss = f"the {course.loss}"
    over = "samples and outputs" if course.reduction == "mean_entries" else "samples"
    alone = course.N_is_1 and course.reduction != "mean_entries"
    several = "" if alone else f", {course.reduction.removesuffix('_entries')} over the {over}"
    factor = "" if course.l2_factor == "1" else f"·{course.l2_factor}"
    penalty = f", and {course.l2:g}{factor}·ΣW²" if course.l2 else ""
    return f"Loss {loss}{several}{penalty}"


def _document(title: str, body: Iterable[str], kind: str) -> bytes:
    """Return a whole file; ``kind`` is the class by which the style sheet knows the page."""
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f'<style>{_style()}</style>\n</head>\n<body class="bpnb">\n<main class="{kind}">',
        *body,
        "</main>\n</body>\n</html>\n",
    ]
    # A lone surrogate in a text has no UTF-8.
    return "\n".join(parts).encode("utf-8", "xmlcharrefreplace")


@cache
def _style() -> str:
    """Return the style sheet: there is no host to ask for a theme, and paper is light."""
    dark = f"html .bpnb {{ {properties(DARK)} }}"  # wins over a report's own sheet
    heats = [
        f".h{k} {{ --cell: {heat_property('value', k / _HEATS)}; background: var(--cell); }}"
        for k in range(_HEATS + 1)
    ]
    parts = [
        ":root { color-scheme: light dark; }",
        palette_sheet(),
        f"@media screen and (prefers-color-scheme: dark) {{ {dark} }}",
        *heats,
        Path(__file__).with_name("page.css").read_text(encoding="utf-8"),
    ]
    return "\n".join(parts)


# --- the class at a glance ----------------------------------------------------------------


def _overview(summary: Mapping[str, Any]) -> Iterator[str]:
    total = summary["students"]
    yield f'<p class="muted">{escape(conventions(Course(**summary["settings"]["course"])))}</p>'
    if lost := summary["not_graded"]:
        yield f'<p class="muted">Not included, because they have no result yet: {lost}.</p>'
    if without := summary["without_score"]:
        yield (
            '<p class="muted">Without a score, and in no mean, because the file is empty or cannot '
            f"be read: {without}.</p>"
        )
    if not total:
        return
    yield '<ul class="figures">'
    for figure, words in [
        (percent(summary["right"], total), "all gradients right"),
        *(
            (f"{100 * summary[each]:.0f} %", each.replace("_", " "))
            for each in ("mean_score", "median_score")
            if summary[each] is not None
        ),
        (percent(summary["failed"], total), "no gradients"),
        *_to_be_seen(summary),
    ]:
        yield f"<li><b>{figure}</b> {words}</li>"
    yield "</ul>"


def _to_be_seen(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    count = sum(each["count"] for each in summary["by_hand"])
    if count:
        yield str(count), "to be looked at by hand"


def _columns(*sections: Iterable[str]) -> Iterator[str]:
    """Yield sections side by side, as far as there is room."""
    yield '<div class="columns">'
    for section in map(list, sections):
        if section:
            yield "\n".join(["<section>", *section, "</section>"])
    yield "</div>"


def _frequent(summary: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>What went wrong most</h2>\n<ul>"
    # The first sentence is the first of the figures above.
    sentences = summary["sentences"][1:] or ["Nothing."]
    yield from (f"<li>{escape(each)}</li>" for each in sentences)
    yield "</ul>"


def _scores(summary: Mapping[str, Any]) -> Iterator[str]:
    largest = max(1, *(each["submissions"] for each in summary["scores"]))
    yield '<h2>Scores</h2>\n<table class="scores">'
    yield f"<thead>{_heads('score', 'students')}</thead>\n<tbody>"
    for each in summary["scores"]:
        count = each["submissions"]
        bar = (
            f'<svg width="{_BAR}" height="14" aria-hidden="true">'
            f'<rect width="{round(_BAR * count / largest)}" height="14" rx="2"></rect></svg>'
        )
        yield _row(each["score"], f"<td>{bar} {count}</td>")
    yield "</tbody>\n</table>"


# --- tables -------------------------------------------------------------------------------


def _heads(*heads: str) -> str:
    return "<tr>" + "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr>"


def _row(head: str, *cells: str) -> str:
    """Return a row; its head is HTML, and so are its cells."""
    return f'<tr><th scope="row">{head}</th>\n{"".join(cells)}</tr>'


def _wide(label: str, *table: str) -> str:
    """Return a table that may scroll, so that the keyboard must reach it."""
    inside = "\n".join(table)
    return f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{inside}</div>'


def _cell(count: int, total: int, darkest: int | None = None) -> str:
    """Return a cell with a number and its share; it has a heat if the darkest one is given."""
    shown = f"<b>{count}</b> <small>{percent(count, total)}</small>" if count else "0"
    if darkest is None:
        return f"<td>{shown}</td>"
    heat = max(1, round(_HEATS * 100 * count / total / darkest)) if count else 0
    return f'<td class="bpnb-on h{heat}">{shown}</td>'


# --- mistakes by layer --------------------------------------------------------------------


def _heat_map(summary: Mapping[str, Any]) -> Iterator[str]:
    total = summary["students"]
    known = [each for each in summary["mistakes"] if not each["failure"]]
    if not known:
        return
    # What is not about a layer comes last; otherwise they stay in the order of their number.
    mistakes = sorted(known, key=lambda each: each["layers"] is None)
    counts = [one["submissions"] for each in mistakes for one in each["layers"] or []]
    share = 100 * max(counts, default=0) / total
    darkest = next(each for each in _ROUND if each >= share)
    yield "<h2>Mistakes by layer</h2>"
    yield (
        "<p>How many students make a mistake in which layer, and their share of the class. "
        "Where a mistake does not tell its layer, it counts in the first one with a wrong "
        "gradient, as the backward pass goes, from right to left.</p>"
    )
    wrong = [_cell(each["wrong"], total) for each in summary["layers"]]
    wrong.append(_cell(summary["wrong_gradients"], total))
    yield _wide(
        "Mistakes by layer",
        '<table class="heat">',
        f"<thead>{_heads('Mistake', *_layers(summary), 'all')}</thead>\n<tbody>",
        *(_mistake(each, len(summary["layers"]), total, darkest) for each in mistakes),
        f"</tbody>\n<tfoot>{_row('Any wrong gradient in this layer', *wrong)}</tfoot>\n</table>",
    )
    yield _legend(darkest)
    yield (
        '<p class="muted">A student with two mistakes, or with two that explain it equally '
        "well, counts in both rows. A dash: this is not about the gradient of a layer.</p>"
    )


def _layers(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the head of each layer's column, with what the course calls its parameters."""
    course = Course(**summary["settings"]["course"])
    parts = (course.weight_names, course.bias_names)
    for layer, *names in zip(range(1, course.layers + 1), *filter(None, parts), strict=True):
        short = (re.sub(r"\[(\d+)\]$", lambda found: subscript(int(found[1])), n) for n in names)
        yield f"layer {layer} <small>{escape(', '.join(short))}</small>"


def _mistake(mistake: Mapping[str, Any], layers: int, total: int, darkest: int) -> str:
    if mistake["layers"] is None:
        cells = ['<td class="none">–</td>'] * layers
    else:
        cells = [_cell(each["submissions"], total, darkest) for each in mistake["layers"]]
    return _row(escape(mistake["title"]), *cells, _cell(mistake["submissions"], total))


def _legend(darkest: int) -> str:
    steps = "".join(f'<span class="h{heat}"></span>' for heat in range(_HEATS + 1))
    return (
        f'<p class="legend">0 % <span class="ramp" aria-hidden="true">{steps}</span> {darkest} % '
        "of the class</p>"
    )


# --- the lines ----------------------------------------------------------------------------


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    rows = summary["lines"]
    if not rows:
        return
    known = sum(each["submissions"] for each in rows)
    yield "<h2>Where it first goes wrong</h2>"
    yield (
        "<p>The quantity that is wrong first, and the line of code that it stands in; "
        f"known of {known} of the {counted(summary['wrong_gradients'], 'student')} with a "
        "wrong gradient.</p>"
    )
    yield f"<details{_open(rows)}>\n<summary>{counted(len(rows), 'line')} of code</summary>"
    heads = ["what goes wrong", "in the line", "students", *(["whose"] if rows[0]["where"] else [])]
    lines = ['<table class="lines">', f"<thead>{_heads(*heads)}</thead>\n<tbody>"]
    for each in rows:
        cells = [
            f"<td><code>{escape(each['text'])}</code></td>",
            _cell(each["submissions"], summary["students"]),
        ]
        if each["where"]:
            cells.append(f'<td class="long">{", ".join(map(_at_line, each["where"]))}</td>')
        lines.append(_row(escape(each["quantity"]), *cells))
    yield _wide("Where it first goes wrong", *lines, "</tbody></table>")
    yield "</details>"


def _at_line(place: Mapping[str, Any]) -> str:
    cell = f" of {place['cell']}" if place["cell"].startswith("cell ") else ""
    return f"{_who(place)} <small>line {place['number']}{cell}</small>"


# --- what gave no gradients, what has to be read, and each submission ---------------------


def _failures(summary: Mapping[str, Any]) -> Iterator[str]:
    failures = [each for each in summary["mistakes"] if each["failure"]]
    if not failures:
        return
    yield "<h2>No gradients</h2>\n<table>\n<tbody>"
    for each in failures:
        yield _row(escape(each["title"]), _cell(each["submissions"], summary["students"]))
    yield "</tbody>\n</table>"


def _unknown(summary: Mapping[str, Any]) -> Iterator[str]:
    rows = [row for row in summary["results"] if _UNKNOWN in row["mistakes"]]
    if not rows:
        return
    yield f"<h2>Not recognised</h2>\n<details{_open(rows)}>"
    yield f"<summary>{len(rows)} to be read by somebody</summary>\n<ul>"
    yield from (f"<li>{_who(row)}, first wrong: {escape(row['first_wrong'])}</li>" for row in rows)
    yield "</ul>\n</details>"
    if "submission" not in rows[0]:
        yield '<p class="muted">The same command with --with-names says whose they are.</p>'


_HEADS: Final = {
    "by_hand": "To be looked at by hand",
    "left_out": "Files that were not looked at",
}


def _reasons(summary: Mapping[str, Any], what: str) -> Iterator[str]:
    rows = summary[what]
    if not rows:
        return
    yield f"<h2>{_HEADS[what]}</h2>\n<ul>"
    for each in rows:
        yield f"<li><b>{each['count']}</b> {escape(each['why'])}"
        if which := each.get("which"):
            yield f"<details{_open(which)}><summary>which</summary>"
            yield f"{escape('; '.join(which))}</details>"
        yield "</li>"
    yield "</ul>"
    if "which" not in rows[0]:
        yield '<p class="muted">grades/ beside this page says whose they are.</p>'


def _list(summary: Mapping[str, Any]) -> Iterator[str]:
    rows: Sequence[Mapping[str, Any]] = summary["results"]
    if not rows:
        return
    named = "submission" in rows[0]
    out_of = summary["points"]
    heads = [
        *(["student"] if named else []),
        *("id", "score" if out_of is None else f"points of {out_of:g}"),
        *("mistakes", "first wrong", "line"),
    ]
    yield f"<h2>Each student</h2>\n<details{_open(rows)}>"
    yield f"<summary>{len(rows)} in a table</summary>"
    lines = ["<table>", f"<thead>{_heads(*heads)}</thead>\n<tbody>"]
    for row in rows:
        mistakes = "; ".join(row["titles"]) or "none"
        if row["score"] is None:
            score = "–"
        else:
            score = f"{100 * row['score']:.0f} %" if out_of is None else f"{row['points']:g}"
        line = f"<code>{escape(row['line'])}</code>" if row["line"] else "–"
        cells = [
            f"<td>{score}</td>",
            f'<td class="long">{escape(mistakes)}</td>',
            f"<td>{escape(row['first_wrong'] or '–')}</td>",
            f'<td class="long">{line}</td>',
        ]
        if named:
            cells.insert(0, f"<td>{row['id']}</td>")
        lines.append(_row(_who(row), *cells))
    yield _wide("Each student", *lines, "</tbody></table>")
    yield "</details>"


def _open(rows: Collection[Any]) -> str:
    return " open" if len(rows) <= _MAX_OPEN else ""


def _who(row: Mapping[str, Any]) -> str:
    """Return whose a row is: an id, or the name as a link to the feedback beside this page."""
    if "submission" not in row:
        return f"<code>{escape(row['id'])}</code>"
    return f'<a href="{quote(row["feedback"])}">{escape(row.get("student", row["submission"]))}</a>'
