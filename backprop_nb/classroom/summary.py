"""What a class got right and wrong: counts, sentences, and the files that hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any, Final

from backprop_nb.checking.compare import MISSING
from backprop_nb.checking.convention import Course
from backprop_nb.checking.mistake import PlacedMistake, layers_in_words
from backprop_nb.checking.mistakes import CATALOGUE, MISTAKES
from backprop_nb.checking.probes import gradient_names
from backprop_nb.checking.report import NOT_WRITTEN
from backprop_nb.checking.wording import spoken
from backprop_nb.classroom.gradebook import as_csv as table_as_csv
from backprop_nb.classroom.verdict import GradingSettings

Result = Mapping[str, Any]

# What can be wrong besides the mistakes of the catalogue.
_OTHERS: Final = {
    "not_written": "It is not written yet, or gives no gradients",
    "raised_exception": "It raises an exception",
    "missing_gradient": "Gradients are missing",
    "wrong_shape": "A gradient has the wrong shape",
    "not_finite": "A gradient is not finite",
    "step_returned": "The step of an update is returned, not the gradient",
    "update_returned": "Updated parameters are returned, not gradients",
    "not_recognised": "Wrong, and no mistake of the catalogue",
    "no function": "The function is missing",
    "stopped": "An error stops the code before the function is defined",
    "too slow": "It does not come to an end",
    "ended": "Its process ended before it had answered",
    "borrowed": "It does not compute the gradient itself",
    "unreadable": "The file cannot be read, or has no code",
}
# Of these there are no gradients to look at.
_FAILURES: Final = {
    *("not_written", "raised_exception"),
    *("no function", "stopped", "too slow", "ended", "unreadable", "borrowed"),
}
_ORDER: Final = {name: k for k, name in enumerate([*(each.id for each in MISTAKES), *_OTHERS])}
_MAX_SENTENCES = 8


def summarise(
    results: Sequence[Result],
    settings: GradingSettings,
    names: bool = False,
    lost: int = 0,
    points: float | None = None,
    left_out: Mapping[str, str] | None = None,
    by_hand: Mapping[str, str] | None = None,
    handed_in: int | None = None,
) -> dict[str, Any]:
    """Return what a class got right and wrong, as plain data.

    Parameters
    ----------
    results
        As :meth:`ResultStore.save` returns them, one for each student.
    names
        Whether it says whose is whose; without, each has an id.
    lost
        How many submissions there are besides that have no result.
    points
        What full marks are; None where there are only shares.
    left_out
        For each file that was not looked at, why.
    by_hand
        For each student whom somebody should look at, why.
    handed_in
        How many students have handed something in; None if all of it was graded.

    Returns
    -------
    dict
        The same for the same results, in whatever order they come.
    """
    # An id tells nothing, so those without a name are in the order of their score.
    ordered = sorted(
        results, key=lambda each: each["submission"] if names else (each["score"], each["id"])
    )
    total, course = len(ordered), settings.course
    mistakes = [*_mistakes(ordered, course)]
    scores = [each["score"] for each in ordered if has_score(each)]
    right = sum(each["ok"] for each in ordered)
    return {
        "handed_in": total if handed_in is None else handed_in,
        "students": total,
        "not_graded": lost,
        "without_score": total - len(scores),
        "by_hand": _reasons(by_hand or {}, names),
        "left_out": _reasons(left_out or {}, names),
        "right": right,
        "failed": sum(not mistakes_of(each).keys().isdisjoint(_FAILURES) for each in ordered),
        "mean_score": round(fmean(scores), 6) if scores else None,
        "median_score": round(median(scores), 6) if scores else None,
        "points": points,
        "settings": settings.to_dict(),
        "sentences": [*_sentences(total, right, mistakes)],
        "wrong_gradients": sum(_has_wrong_gradient(each) for each in ordered),
        "layers": [_layer(ordered, layer, course) for layer in range(1, course.layers + 1)],
        "mistakes": mistakes,
        "lines": [*_lines(ordered, course, names)],
        "scores": _histogram(scores),
        "results": [_row(each, course, names, points) for each in ordered],
    }


def _reasons(said: Mapping[str, str], names: bool) -> list[dict[str, Any]]:
    """Return how often each reason is given, and with names by whom, the most frequent first.

    What a reason says after a colon belongs to the one that it is given for.
    """
    having: dict[str, list[str]] = {}
    for name in sorted(said):
        having.setdefault(said[name].partition(": ")[0].rstrip("."), []).append(name)
    order = sorted(having, key=lambda each: (-len(having[each]), each))
    return [
        {"why": each, "count": len(having[each])}
        | ({"which": [_detailed(name, said[name]) for name in having[each]]} if names else {})
        for each in order
    ]


def _detailed(name: str, why: str) -> str:
    detail = why.partition(": ")[2].removesuffix(".")
    return f"{name} ({detail})" if detail else name


def percent(part: int, whole: int) -> str:
    """Return a share for readers.

    >>> percent(4, 13), percent(1, 1000), percent(999, 1000)
    ('31 %', 'under 1 %', 'over 99 %')
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.5:
        return "under 1 %"
    if 99.5 <= share < 100:
        return "over 99 %"
    return f"{share:.0f} %"


def in_numbers(summary: Mapping[str, Any]) -> str:
    """Say how many have handed in and how many were graded, if it is not all; otherwise nothing.

    >>> in_numbers({"handed_in": 12, "students": 11}), in_numbers({"handed_in": 3, "students": 3})
    ('12 handed in, 11 graded', '')
    """
    handed_in, graded = summary["handed_in"], summary["students"]
    return "" if handed_in == graded else f"{handed_in} handed in, {graded} graded"


# --- counting -------------------------------------------------------------------------------


def mistakes_of(result: Result) -> dict[str, Mapping[str, Any]]:
    """Return the mistakes that a result is explained by, each with its finding."""
    if result["outcome"] != "answered":
        outcome = result["outcome"]
        return {outcome: {"mistake": outcome, "parameter": "", "layers": []}}
    found = {each["mistake"]: each for each in result["findings"] if each["rank"] == 1}
    blank = found and found.keys() <= {"not_written", "missing_gradient"}
    if blank and all(each["remark"] in (NOT_WRITTEN, MISSING) for each in result["parameters"]):
        return {"not_written": {"mistake": "not_written", "parameter": "", "layers": []}}
    return found


def called(finding: Mapping[str, Any], course: Course) -> str:
    """Return what a finding is called in sentences, with its layers if it is made at some only.

    >>> finding = {"mistake": "sigma_prime_missing_in_hidden", "layers": [1]}
    >>> called(finding, Course()), called({**finding, "layers": [1, 2]}, Course())
    ('σ′ is missing at layer 1', 'σ′ is missing in the hidden layers')
    """
    placed = _placed(finding)
    if placed is None:
        return _OTHERS[finding["mistake"]]
    return spoken(placed.title(course.layers, course), course)


def _placed(finding: Mapping[str, Any]) -> PlacedMistake | None:
    """Return a finding as a mistake of the catalogue, if it is one."""
    mistake = CATALOGUE.get(finding["mistake"])
    return PlacedMistake(mistake, tuple(finding["layers"]) or None) if mistake else None


def _is_local(finding: Mapping[str, Any], course: Course) -> bool:
    """Whether it is a mistake of the catalogue, made at some of its layers only."""
    placed = _placed(finding)
    return placed is not None and not placed.is_whole(course.layers, course)


def layers_by_name(course: Course) -> dict[str, int]:
    """Return the layer, from 1 to K, of each gradient, by what a course calls it.

    >>> layers_by_name(Course(parameters="dict", bias=False, layers=2))
    {'dW1': 1, 'dW2': 2}
    """
    names = gradient_names(course.layers, course.has_bias)
    per_layer = len(names) // course.layers
    return {spoken(name, course): k // per_layer + 1 for k, name in enumerate(names)}


def _layers_of(finding: Mapping[str, Any], course: Course) -> set[int]:
    """Return where a mistake is: the layers that its finding names, or the first that is wrong."""
    first = layers_by_name(course).get(finding["parameter"])
    return set(finding["layers"]) or ({first} if first else set())


def _wrong_layers(result: Result, course: Course) -> set[int]:
    """Return the layers of which a gradient is there and not right, or is missing."""
    layers = layers_by_name(course)
    return {layers[each["name"]] for each in result["parameters"] if not each["ok"]}


def _mistakes(results: Sequence[Result], course: Course) -> Iterator[dict[str, Any]]:
    """Yield each mistake with how often it occurs and where, the most frequent first.

    One that is made at all its layers and the same at some of them are two: who has
    forgotten something at one place knows it.
    """
    having: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for result in results:
        for mistake, finding in mistakes_of(result).items():
            having.setdefault((mistake, _is_local(finding, course)), []).append(finding)
    layers = range(1, course.layers + 1)
    order = sorted(having, key=lambda each: (-len(having[each]), _ORDER[each[0]], each[1]))
    for mistake, local in order:
        found = having[mistake, local]
        failure = mistake in _FAILURES
        made = Counter(layer for each in found if not failure for layer in _layers_of(each, course))
        titles = Counter(called(each, course) for each in found)
        several = local and len(titles) > 1
        yield {
            "mistake": mistake,
            "title": _title_at_some(mistake, course) if several else min(titles),
            "submissions": len(found),
            "share": round(len(found) / len(results), 6),
            "failure": failure,
            "where": _where(found, made),
            # None where a mistake is not one of gradients: there is no layer to look at.
            "layers": [{"layer": layer, "submissions": made[layer]} for layer in layers]
            if made
            else None,
            # In which layers together, if in some only.
            "places": [
                {"title": title, "submissions": titles[title]}
                for title in sorted(titles, key=lambda each: (-titles[each], each))
            ],
        }


def _title_at_some(mistake: str, course: Course) -> str:
    return spoken(CATALOGUE[mistake].title_at("some layers only", course), course)


def _lines(results: Sequence[Result], course: Course, names: bool) -> Iterator[dict[str, Any]]:
    """Yield what stands in the lines where it first goes wrong, the most frequent first."""
    having: dict[tuple[str, str], list[Result]] = {}
    for result in filter(_has_wrong_gradient, results):
        if line := result.get("line"):
            first = next(each["parameter"] for each in mistakes_of(result).values())
            quantity = line["quantity"] or spoken(first, course)
            having.setdefault((quantity, line["text"]), []).append(result)
    for quantity, text in sorted(having, key=lambda each: (-len(having[each]), each)):
        found = having[quantity, text]
        yield {
            "quantity": quantity,
            "text": text,
            "submissions": len(found),
            "where": [_place_of(each) for each in found] if names else [],
        }


def _whose(result: Result) -> dict[str, Any]:
    """Return whose a result is, with where the feedback lies."""
    names = ("student", "submission", "feedback")
    return {name: result[name] for name in names if name in result}


def _place_of(result: Result) -> dict[str, Any]:
    line = result["line"]
    return _whose(result) | {
        "cell": line["cell"],
        "number": line["number"],
    }


def _layer(results: Sequence[Result], layer: int, course: Course) -> dict[str, Any]:
    with_gradients = (each for each in results if _has_wrong_gradient(each))
    wrong = sum(layer in _wrong_layers(each, course) for each in with_gradients)
    return {"layer": layer, "wrong": wrong}


def _has_wrong_gradient(result: Result) -> bool:
    wrong = not all(each["ok"] for each in result["parameters"])
    return wrong and mistakes_of(result).keys().isdisjoint(_FAILURES)


def _histogram(scores: Sequence[float]) -> list[dict[str, Any]]:
    """Return how many have which score, in tenths; all right is a step of its own."""
    count = Counter(int(score * 10 + 1e-9) for score in scores)
    labels = [f"{10 * k} to {10 * k + 9} %" for k in range(10)] + ["100 %"]
    return [{"score": label, "submissions": count[k]} for k, label in enumerate(labels)]


def _sentences(total: int, right: int, mistakes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if total:
        yield f"{percent(right, total)} ({right} of {total}) have every gradient right."
    places = [(place, each["where"]) for each in mistakes for place in each["places"]]
    places.sort(key=lambda each: -each[0]["submissions"])
    for place, where in places[:_MAX_SENTENCES]:
        count = place["submissions"]
        yield (
            f"{percent(count, total)} ({count} of {total}): {place['title']}"
            f"{where and f', {where}'}."
        )


def _where(found: Sequence[Mapping[str, Any]], made: Mapping[int, int]) -> str:
    """Say at which layer most of those who made a mistake made it, unless its title does."""
    named = any(each["layers"] for each in found)
    if not made or (named and _placed(found[0])):
        return ""
    most = max(made.values())
    layers = sorted(layer for layer, count in made.items() if count == most)
    if not named:
        layers = layers[-1:]  # a backward pass comes to it first
    often = "" if most == len(found) else "most often "
    return f"{often}{'at' if named else 'first wrong at'} {layers_in_words(layers)}"


def _row(result: Result, course: Course, names: bool, points: float | None) -> dict[str, Any]:
    mistakes = mistakes_of(result)
    line = result.get("line")
    row = {
        "id": result["id"],
        "score": round(result["score"], 6) if has_score(result) else None,
        **({} if points is None else {"points": points_of(result, points)}),
        "outcome": result["outcome"],
        "mistakes": list(mistakes),
        "titles": [called(each, course) for each in mistakes.values()],
        "first_wrong": next((each["parameter"] for each in mistakes.values()), ""),
        "line": f"{line['number']}: {line['text']}" if line else "",
    }
    if not names:
        return row
    return {**_whose(result), **row}


def has_score(result: Result) -> bool:
    """Whether there was something to judge: an empty or damaged file counts nowhere as zero."""
    return bool(result["outcome"] != "unreadable")


def points_of(result: Result, points: float) -> float | None:
    """Return what a result is worth, to a hundredth; None where nothing could be judged."""
    return round(points * result["score"], 2) if has_score(result) else None


# --- the table ---------------------------------------------------------------------------------


def as_csv(summary: Mapping[str, Any]) -> bytes:
    """Return the results of a summary as a table.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    columns = ["id", "score", "points", "outcome", "mistakes", "titles", "first_wrong", "line"]
    if summary["points"] is None:
        columns.remove("points")
    if summary["results"] and "submission" in summary["results"][0]:
        columns.insert(0, "submission")
    if summary["results"] and "student" in summary["results"][0]:
        columns.insert(0, "student")
    rows = (
        row | {"mistakes": " ".join(row["mistakes"]), "titles": "; ".join(row["titles"])}
        for row in summary["results"]
    )
    return table_as_csv([columns, *([row[each] for each in columns] for row in rows)])
