"""The summary of a class as one HTML page, which fetches nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from backprop_nb.classroom.summary import percent, title
from backprop_nb.views.scene.palette import DARK, LIGHT, Theme, ink, mix

_HEATS: Final = 10
_BAR = 240
_ROUND: Final[tuple[int, ...]] = (5, *range(10, 101, 10))
_OPEN = 40
"""A list that is longer is folded at first."""
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def as_html(summary: Mapping[str, Any]) -> bytes:
    """Return the summary of a class as a page, the same for the same summary."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    count = summary["submissions"]
    heading = f"Backward passes of {count} submission{'' if count == 1 else 's'}"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{heading}</title>",
        f"<style>{style}</style>\n</head>\n<body>\n<main>",
        f"<h1>{heading}</h1>",
        *_overview(summary),
        '<div class="columns">\n<section>',
        *_most(summary),
        "</section>\n<section>",
        *_scores(summary),
        "</section>\n</div>",
        *_heat_map(summary),
        *_list(summary),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts).encode("utf-8")


def _overview(summary: Mapping[str, Any]) -> Iterator[str]:
    course = summary["settings"]["course"]
    half = "½‖y − f‖²" if course["half"] else "‖y − f‖²"
    several = "" if course["samples"] == "single" else f", {course['reduction']} over the samples"
    samples = {"single": "one sample", "rows": "samples as rows", "columns": "samples as columns"}
    yield (
        f'<p class="muted">Loss {half}{several}; {samples[course["samples"]]}; '
        f"networks of {course['layers']} layers.</p>"
    )
    if not summary["submissions"]:
        return
    yield '<ul class="figures">'
    for figure, words in [
        (percent(summary["right"], summary["submissions"]), "all gradients right"),
        (f"{100 * summary['mean_score']:.0f} %", "mean score"),
        (f"{100 * summary['median_score']:.0f} %", "median score"),
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
    if not summary["mistakes"]:
        return
    # What is not about a layer comes last; otherwise they stay in the order of their number.
    mistakes = sorted(summary["mistakes"], key=lambda each: each["layers"] is None)
    darkest = _darkest(summary)
    layers = [each["layer"] for each in summary["layers"]]
    yield "<h2>Mistakes by layer</h2>"
    yield (
        "<p>How many submissions with a mistake have a wrong gradient in a layer, and the share of "
        "the class. The backward pass goes from right to left; ◂ marks where the mistake shows "
        "first, for most of those who made it.</p>"
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
            yield from (_no_layer() for _ in layers)
        else:
            peak = max(each["layers"], key=lambda one: (one["first"], one["layer"]))
            for one in each["layers"]:
                first = one is peak and one["first"] > 0
                yield _cell(one["wrong"], total, darkest, first=first)
        yield f"{_cell(each['submissions'], total)}</tr>"
    yield '</tbody>\n<tfoot><tr><th scope="row">Any wrong gradient in this layer</th>'
    yield from (_cell(each["wrong"], total) for each in summary["layers"])
    yield f"{_cell(summary['wrong_gradients'], total)}</tr></tfoot>\n</table></div>"
    yield _legend(darkest)
    yield (
        '<p class="muted">A submission with two mistakes, or with two that explain it equally '
        "well, counts in both rows. A dash: this is not about the gradient of a layer.</p>"
    )


def _darkest(summary: Mapping[str, Any]) -> int:
    """Return the percentage that has the darkest colour: the first round one above all cells."""
    cells = [one["wrong"] for each in summary["mistakes"] for one in each["layers"] or []]
    share = 100 * max(cells, default=0) / summary["submissions"]
    return next(each for each in _ROUND if each >= share)


def _cell(count: int, total: int, darkest: int | None = None, *, first: bool = False) -> str:
    """Return a cell with a number and its share; it has a heat if the darkest one is given."""
    share = 100 * count / total
    heat = max(1, round(_HEATS * share / darkest)) if count and darkest else 0
    mark = '<span class="first" title="shows here first">◂</span>' if first else ""
    said = f"<b>{count}</b> <small>{percent(count, total)}</small>" if count else "0"
    return f'<td class="h{heat}">{said}{mark}</td>'


def _no_layer() -> str:
    return '<td class="none">–</td>'


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


# --- each submission ---------------------------------------------------------------------------


def _list(summary: Mapping[str, Any]) -> Iterator[str]:
    rows: Sequence[Mapping[str, Any]] = summary["results"]
    if not rows:
        return
    named = "submission" in rows[0]
    yield f"<h2>Each submission</h2>\n<details{' open' if len(rows) <= _OPEN else ''}>"
    yield f"<summary>{len(rows)} in a table</summary>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="Each submission"><table>'
    heads = [*(["submission"] if named else []), "id", "score", "mistakes", "first wrong"]
    yield (
        "<thead><tr>" + "".join(f'<th scope="col">{each}</th>' for each in heads) + "</tr></thead>"
    )
    yield "<tbody>"
    for row in rows:
        mistakes = "; ".join(map(title, row["mistakes"])) or "none"
        cells = [f"{100 * row['score']:.0f} %", mistakes, row["first_wrong"] or "–"]
        if named:
            cells.insert(0, row["id"])
        head = row["submission" if named else "id"]
        yield (
            f'<tr><th scope="row">{escape(head)}</th>'
            + "".join(f"<td>{escape(each)}</td>" for each in cells)
            + "</tr>"
        )
    yield "</tbody></table></div>\n</details>"


# --- its looks ----------------------------------------------------------------------


@cache
def _style() -> str:
    text = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    dark = _properties(DARK)
    return (
        f":root {{ color-scheme: light dark; {_properties(LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        + "".join(
            f".h{k} {{ background: var(--heat-{k}); color: var(--ink-{k}); }}\n"
            for k in range(_HEATS + 1)
        )
        + text
    )


def _properties(theme: Theme) -> str:
    roles = ("paper", "text", "muted", "line", "panel", "forward", "value-positive")
    parts = [f"--{role}: {theme[role]};" for role in roles]
    for k in range(_HEATS + 1):
        heat = mix(theme["value-zero"], theme["value-positive"], k / _HEATS)
        parts.append(f"--heat-{k}: {heat}; --ink-{k}: {ink(heat)};")
    return " ".join(parts)
