"""The summary of a class as one HTML page, which fetches nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from backprop_nb.classroom.document import conventions, document
from backprop_nb.classroom.summary import percent
from backprop_nb.views.palette import heat_property

_HEATS: Final = 10
_BAR = 240
_ROUND: Final[tuple[int, ...]] = (5, *range(10, 101, 10))
_OPEN = 40
"""A list that is longer is folded at first."""
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_UNKNOWN = "not_recognised"


def as_html(summary: Mapping[str, Any]) -> bytes:
    """Return the summary of a class as a page, the same for the same summary."""
    count = summary["submissions"]
    heading = f"Backward passes of {count} submission{'' if count == 1 else 's'}"
    parts = [
        f"<h1>{heading}</h1>",
        *_overview(summary),
        '<div class="columns">\n<section>',
        *_most(summary),
        "</section>\n<section>",
        *_scores(summary),
        "</section>\n</div>",
        *_heat_map(summary),
        '<div class="columns">\n<section>',
        *_failures(summary),
        "</section>\n<section>",
        *_unknown(summary),
        "</section>\n</div>",
        *_list(summary),
    ]
    return document(heading, "\n".join(parts), _style())


def _overview(summary: Mapping[str, Any]) -> Iterator[str]:
    total = summary["submissions"]
    yield f'<p class="muted">{escape(conventions(summary["settings"]["course"]))}</p>'
    if lost := summary["not_graded"]:
        yield f'<p class="muted">Not in it, because they have no result yet: {lost}.</p>'
    if not total:
        return
    yield '<ul class="figures">'
    for figure, words in [
        (percent(summary["right"], total), "all gradients right"),
        (f"{100 * summary['mean_score']:.0f} %", "mean score"),
        (f"{100 * summary['median_score']:.0f} %", "median score"),
        (percent(summary["failed"], total), "no gradients"),
    ]:
        yield f"<li><b>{figure}</b> {words}</li>"
    yield "</ul>"


def _most(summary: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>What went wrong most</h2>\n<ul>"
    # The first sentence is the first of the figures above.
    said = summary["sentences"][1:] or ["Nothing."]
    yield from (f"<li>{escape(each)}</li>" for each in said)
    yield "</ul>"


# --- mistakes by layer ------------------------------------------------------------------------


def _heat_map(summary: Mapping[str, Any]) -> Iterator[str]:
    total = summary["submissions"]
    known = [each for each in summary["mistakes"] if not each["failure"]]
    if not known:
        return
    # What is not about a layer comes last; otherwise they stay in the order of their number.
    mistakes = sorted(known, key=lambda each: each["layers"] is None)
    darkest = _darkest(mistakes, total)
    layers = [each["layer"] for each in summary["layers"]]
    yield "<h2>Mistakes by layer</h2>"
    yield (
        "<p>How many submissions make a mistake in which layer, and their share of the class. "
        "Where a mistake does not tell its layer, it counts in the first one with a wrong "
        "gradient, as the backward pass goes, from right to left.</p>"
    )
    yield (
        '<div class="wide" tabindex="0" role="region" aria-label="Mistakes by layer">'
        '<table class="heat">\n<thead><tr><th scope="col">Mistake</th>'
    )
    yield from (
        f'<th scope="col">layer {k} <small>A{_sub(k - 1)}, b{_sub(k - 1)}</small></th>'
        for k in layers
    )
    yield '<th scope="col">all</th></tr></thead>\n<tbody>'
    for each in mistakes:
        yield f'<tr><th scope="row">{escape(each["title"])}</th>'
        if each["layers"] is None:
            yield from ('<td class="none">–</td>' for _ in layers)
        else:
            yield from (_cell(one["submissions"], total, darkest) for one in each["layers"])
        yield f"{_cell(each['submissions'], total)}</tr>"
    yield '</tbody>\n<tfoot><tr><th scope="row">Any wrong gradient in this layer</th>'
    yield from (_cell(each["wrong"], total) for each in summary["layers"])
    yield f"{_cell(summary['wrong_gradients'], total)}</tr></tfoot>\n</table></div>"
    yield _legend(darkest)
    yield (
        '<p class="muted">A submission with two mistakes, or with two that explain it equally '
        "well, counts in both rows. A dash: this is not about the gradient of a layer.</p>"
    )


def _darkest(mistakes: Sequence[Mapping[str, Any]], total: int) -> int:
    """Return the percentage that has the darkest colour: the first round one above all cells."""
    cells = [one["submissions"] for each in mistakes for one in each["layers"] or []]
    share = 100 * max(cells, default=0) / total
    return next(each for each in _ROUND if each >= share)


def _cell(count: int, total: int, darkest: int | None = None) -> str:
    """Return a cell with a number and its share; it has a heat if the darkest one is given."""
    said = f"<b>{count}</b> <small>{percent(count, total)}</small>" if count else "0"
    if darkest is None:
        return f"<td>{said}</td>"
    heat = max(1, round(_HEATS * 100 * count / total / darkest)) if count else 0
    return f'<td class="bpnb-on h{heat}">{said}</td>'


def _legend(darkest: int) -> str:
    steps = "".join(f'<span class="h{heat}"></span>' for heat in range(_HEATS + 1))
    return (
        f'<p class="legend">0 % <span class="ramp" aria-hidden="true">{steps}</span> {darkest} % '
        "of the class</p>"
    )


def _sub(number: int) -> str:
    return str(number).translate(_SUBSCRIPTS)


# --- scores --------------------------------------------------------------------------------------


def _scores(summary: Mapping[str, Any]) -> Iterator[str]:
    counts = [each["submissions"] for each in summary["scores"]]
    most = max([*counts, 1])
    yield '<h2>Scores</h2>\n<table class="scores">\n<thead><tr><th scope="col">score</th>'
    yield '<th scope="col">submissions</th></tr></thead>\n<tbody>'
    for each in summary["scores"]:
        count = each["submissions"]
        width = round(_BAR * count / most)
        bar = (
            f'<svg width="{_BAR}" height="14" aria-hidden="true">'
            f'<rect width="{width}" height="14" rx="2"></rect></svg>'
        )
        yield f'<tr><th scope="row">{each["score"]}</th><td>{bar} {count}</td></tr>'
    yield "</tbody>\n</table>"


# --- what gave no gradients, and what has to be read ---------------------------------------------


def _failures(summary: Mapping[str, Any]) -> Iterator[str]:
    total = summary["submissions"]
    failures = [each for each in summary["mistakes"] if each["failure"]]
    if not failures:
        return
    yield "<h2>No gradients</h2>\n<table>\n<tbody>"
    for each in failures:
        count = _cell(each["submissions"], total)
        yield f'<tr><th scope="row">{escape(each["title"])}</th>{count}</tr>'
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
        yield '<p class="muted">The same command with --names says whose they are.</p>'


# --- each submission ---------------------------------------------------------------------------


def _list(summary: Mapping[str, Any]) -> Iterator[str]:
    rows: Sequence[Mapping[str, Any]] = summary["results"]
    if not rows:
        return
    named = "submission" in rows[0]
    yield f"<h2>Each submission</h2>\n<details{_open(rows)}>"
    yield f"<summary>{len(rows)} in a table</summary>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="Each submission"><table>'
    heads = [*(["submission"] if named else []), "id", "score", "mistakes", "first wrong"]
    yield (
        "<thead><tr>" + "".join(f'<th scope="col">{each}</th>' for each in heads) + "</tr></thead>"
    )
    yield "<tbody>"
    for row in rows:
        mistakes = "; ".join(row["titles"]) or "none"
        cells = [f"{100 * row['score']:.0f} %", mistakes, row["first_wrong"] or "–"]
        if named:
            cells.insert(0, row["id"])
        yield (
            f'<tr><th scope="row">{_who(row)}</th>'
            + "".join(f"<td>{escape(each)}</td>" for each in cells)
            + "</tr>"
        )
    yield "</tbody></table></div>\n</details>"


def _open(rows: Sequence[Any]) -> str:
    return " open" if len(rows) <= _OPEN else ""


def _who(row: Mapping[str, Any]) -> str:
    """Return whose a row is: an id, or the name as a link to the feedback beside this page."""
    if "submission" not in row:
        return f"<code>{escape(row['id'])}</code>"
    return f'<a href="{quote(row["feedback"])}">{escape(row["submission"])}</a>'


# --- its looks ----------------------------------------------------------------------


@cache
def _style() -> str:
    heats = (
        f".h{k} {{ --cell: {heat_property('value', k / _HEATS)}; background: var(--cell); }}\n"
        for k in range(_HEATS + 1)
    )
    return "".join(heats) + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
