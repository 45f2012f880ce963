"""The counts of a class, in numbers and in sentences."""

import csv
import io
import random

from backprop_nb.checking.backward import check_backward
from backprop_nb.checking.mistakes import MISTAKES, make_backward
from backprop_nb.classroom.page import summary_page
from backprop_nb.classroom.results import as_json
from backprop_nb.classroom.summary import as_csv, called, summarise
from backprop_nb.classroom.verdict import make_settings

SETTINGS = make_settings()


HIDDEN = "sigma_prime_missing_in_hidden"


def result(k, *mistakes, backward=None, outcome="answered", name="s{k}.py", **options):
    report = check_backward(backward or make_backward(*mistakes, samples="single", **options))
    return {
        "submission": name.format(k=k),
        "id": f"s{k:03}",
        "feedback": f"feedback/s{k}.html",
        "outcome": outcome,
        **report.to_dict(),
        "text": str(report),
    }


def modifying(A, b, x, y):
    gradients = make_backward(samples="single")(A, b, x, y)
    x[:] = 0
    return gradients


CLASS = [
    *(result(k) for k in range(5)),
    *(result(k, "sigma_prime_missing_in_hidden") for k in range(5, 9)),
    result(9, "sign_flipped"),
    result(10, "sign_flipped", "layer_input_off_by_one"),
    result(11, backward=modifying),
    result(12, backward=lambda *_: None, outcome="too slow"),
]


def summary(results=CLASS, **options):
    return summarise(results, SETTINGS, **options)


def test_the_counts_are_those_of_the_class():
    data = summary()
    assert (data["students"], data["right"]) == (13, 5)
    counts = {each["mistake"]: each["submissions"] for each in data["mistakes"]}
    assert counts == {
        "sigma_prime_missing_in_hidden": 4,
        "sign_flipped": 2,
        "layer_input_off_by_one": 1,
        "input_modified": 1,
        "too slow": 1,
    }
    assert sum(each["submissions"] for each in data["scores"]) == 13
    assert data["scores"][-1] == {"score": "100 %", "submissions": 5}
    assert data["wrong_gradients"] == 6


def test_a_blank_template_counts_at_no_layer():
    def blank(A, b, x, y):
        raise NotImplementedError

    def dots(A, b, x, y): ...

    def empty(A, b, x, y):
        return [None] * len(A), [None] * len(A)

    data = summary([result(k, backward=each) for k, each in enumerate((blank, dots, empty))])
    [mistake] = data["mistakes"]
    assert (mistake["mistake"], mistake["submissions"]) == ("not_written", 3)
    assert (mistake["layers"], mistake["where"], data["wrong_gradients"]) == (None, "", 0)
    assert "100 % (3 of 3): It is not written yet, or gives no gradients." in data["sentences"]
    assert [each["first_wrong"] for each in data["results"]] == ["", "", ""]
    assert result(0, backward=blank)["text"].startswith("backward: not written yet.")


def test_a_file_with_nothing_to_judge_has_no_score_and_is_in_no_mean():
    nothing = result(1, backward=lambda *_: None, outcome="unreadable")
    data = summary([result(0), nothing], points=6)
    assert (data["students"], data["without_score"], data["mean_score"]) == (2, 1, 1.0)
    assert sum(each["submissions"] for each in data["scores"]) == 1
    rows = {each["id"]: (each["score"], each["points"]) for each in data["results"]}
    assert rows == {"s000": (1.0, 6.0), "s001": (None, None)}
    page = summary_page(data).decode()
    assert (
        "Without a score, and in no mean, because the file is empty or cannot be read: 1." in page
    )
    assert "100 %</b> mean score" in page
    alone = summary([nothing])
    assert alone["mean_score"] is None
    assert "mean score" not in summary_page(alone).decode()


def at(k, *layers):
    return result(k, HIDDEN, layers={HIDDEN: layers})


def layers_of(mistake):
    return [each["submissions"] for each in mistake["layers"]]


def test_a_mistake_that_does_not_tell_its_layer_is_in_the_first_one_that_is_wrong():
    mistake = summary()["mistakes"][1]
    assert mistake["mistake"] == "sign_flipped"
    assert layers_of(mistake) == [0, 0, 2]
    assert mistake["where"] == "first wrong at layer 3"
    assert [each["wrong"] for each in summary()["layers"]] == [6, 6, 2]


def test_a_mistake_is_in_all_the_layers_at_which_it_is_made():
    (mistake,) = summary(CLASS[5:9])["mistakes"]
    assert layers_of(mistake) == [4, 4, 0]
    assert mistake["title"] == "σ′ is missing in the hidden layers"
    assert mistake["where"] == ""  # the title says it


def test_a_mistake_at_one_layer_is_called_so_and_counted_there():
    data = summary([*CLASS[:5], *(at(k, 1) for k in range(5, 9)), *CLASS[9:]])
    assert data["sentences"][1] == "31 % (4 of 13): σ′ is missing at layer 1."
    first, *others = data["mistakes"]
    assert (first["title"], layers_of(first)) == ("σ′ is missing at layer 1", [4, 0, 0])
    assert HIDDEN not in [each["mistake"] for each in others]
    row = next(each for each in data["results"] if each["id"] == "s005")
    assert (row["mistakes"], row["titles"]) == ([HIDDEN], ["σ′ is missing at layer 1"])
    assert "σ′ is missing at layer 1" in as_csv(data).decode("utf-8-sig")


def test_a_mistake_at_every_layer_and_at_some_are_not_put_together():
    """A sentence on all of them would be true of none."""
    local = [*(at(k, 1) for k in range(4)), *(at(k, 2) for k in range(4, 6))]
    data = summary([*local, *(result(k, HIDDEN) for k in range(6, 9)), result(9)])
    assert [(each["title"], layers_of(each)) for each in data["mistakes"]] == [
        ("σ′ is missing at some layers only", [4, 2, 0]),
        ("σ′ is missing in the hidden layers", [3, 3, 0]),
    ]
    assert data["sentences"][1:] == [
        "40 % (4 of 10): σ′ is missing at layer 1.",
        "30 % (3 of 10): σ′ is missing in the hidden layers.",
        "20 % (2 of 10): σ′ is missing at layer 2.",
    ]


def test_where_most_but_not_all_are_is_said_as_it_is():
    def shaped(*layers):
        def backward(A, b, x, y):
            dA, db = make_backward(samples="single")(A, b, x, y)
            return dA, [each[:, None] if i + 1 in layers else each for i, each in enumerate(db)]

        return result(0, backward=backward)

    (mistake,) = summary([shaped(1, 2, 3)] * 2)["mistakes"]
    assert (mistake["where"], layers_of(mistake)) == ("at layers 1, 2 and 3", [2, 2, 2])
    (mistake,) = summary([shaped(1), shaped(1, 2), shaped(3)])["mistakes"]
    assert (mistake["where"], layers_of(mistake)) == ("most often at layer 1", [2, 1, 1])


def test_an_exception_is_at_no_layer_and_leaves_no_gradient():
    def raising(A, b, x, y):
        raise IndexError

    data = summary([result(0, backward=raising), CLASS[0]])
    (mistake,) = data["mistakes"]
    assert (mistake["mistake"], mistake["layers"]) == ("raised_exception", None)
    assert (data["failed"], data["wrong_gradients"]) == (1, 0)


def test_what_is_not_about_gradients_has_no_layer():
    by_id = {each["mistake"]: each for each in summary()["mistakes"]}
    assert by_id["input_modified"]["layers"] is None
    assert by_id["too slow"]["layers"] is None


def test_the_sentences_say_share_mistake_and_layer():
    sentences = summary()["sentences"]
    assert sentences[0] == "38 % (5 of 13) have every gradient right."
    assert sentences[1] == "31 % (4 of 13): σ′ is missing in the hidden layers."
    assert sentences[2] == "15 % (2 of 13): The sign is flipped, first wrong at layer 3."


def test_every_mistake_of_the_catalogue_has_a_place_and_a_title():
    for mistake in MISTAKES:
        if mistake.id not in {"state_kept_between_calls"}:
            (kept,) = summary([{**CLASS[9], "findings": [finding(mistake.id)]}])["mistakes"]
            assert kept["title"] == mistake.title
    assert called({"mistake": "unreadable", "layers": []}, 3)


def finding(mistake):
    return {"mistake": mistake, "parameter": "dA[0]", "rank": 1, "message": "", "layers": []}


def test_there_are_no_names_unless_asked_for():
    named = [{**each, "submission": f"Ada-{k}.py"} for k, each in enumerate(CLASS)]
    assert "Ada" not in str(summary(named))
    assert "Ada" not in as_csv(summary(named)).decode()
    assert "Ada-3.py" in str(summary(named, names=True))


def test_without_names_they_are_in_the_order_of_their_score():
    scores = [row["score"] for row in summary()["results"]]
    assert scores == sorted(scores)


def test_the_order_of_the_results_changes_nothing():
    shuffled = random.Random(0).sample(CLASS, len(CLASS))
    for names in (False, True):
        assert as_json(summary(shuffled, names=names)) == as_json(summary(names=names))


def at_line(k, number, text, quantity="∂L/∂b[2]"):
    line = {"cell": "cell 2", "number": number, "text": text, "quantity": quantity}
    return {**result(k, "sign_flipped"), "line": line}


def test_students_are_grouped_by_the_line_where_it_first_goes_wrong():
    results = [at_line(0, 3, "d = y - f"), at_line(1, 9, "d = y - f"), at_line(2, 3, "d = f", "")]
    raising = {
        **at_line(3, 5, "A @ x"),
        "parameters": [],
        "findings": [finding("raised_exception")],
    }
    first, second = summary([*results, raising, CLASS[0]])["lines"]  # who has a gradient
    assert (first["quantity"], first["text"], first["submissions"]) == ("∂L/∂b[2]", "d = y - f", 2)
    assert (second["quantity"], second["submissions"]) == ("dA[2]", 1)
    assert first["where"] == []
    (where, _) = summary(results, names=True)["lines"][0]["where"]
    assert where["submission"] == "s0.py"
    assert (where["cell"], where["number"]) == ("cell 2", 3)


def test_reasons_are_counted_and_say_of_whom_if_names_are_wanted():
    left_out = {"b.py": "An older attempt.", "a.py": "An older attempt.", "c.py": "Other: d.py."}
    assert summary(left_out=left_out)["left_out"] == [
        {"why": "An older attempt", "count": 2},
        {"why": "Other", "count": 1},
    ]
    named = summary(left_out=left_out, names=True)["left_out"]
    assert [each["which"] for each in named] == [["a.py", "b.py"], ["c.py (d.py)"]]


def test_points_are_said_where_there_are_points():
    data = summary(points=6)
    assert {row["points"] for row in data["results"]} == {0.0, 2.0, 5.14, 6.0}
    assert "points" in as_csv(data).decode("utf-8-sig").splitlines()[0]
    unreadable = {**CLASS[0], "outcome": "unreadable", "score": 0.0}
    assert summary([unreadable], points=6)["results"][0]["points"] is None


def test_an_empty_class_has_a_summary():
    assert summary([])["sentences"] == []


def test_a_spreadsheet_finds_no_formula_in_a_name():
    names = ["=cmd|' /C calc'!A0.py", "+1.py", "-1.py", "@x.py", "\tx.py", "a,b.py"]
    named = [{**each, "submission": name} for each, name in zip(CLASS, names, strict=False)]
    table = as_csv(summary(named, names=True)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert {row["submission"] for row in rows} == {f"'{name}" for name in names[:5]} | {"a,b.py"}
    assert {row["score"] for row in rows} == {"1.0", "0.333333"}
