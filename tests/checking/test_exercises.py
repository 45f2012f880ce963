"""Each seed has its own numbers, everywhere the same; rounding is no mistake, a mistake is."""

import subprocess
import sys

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.exercises import (
    MISTAKE,
    QUESTIONS,
    WIDTHS,
    answer_key,
    answers_with,
    following_answers,
    readable_mistakes,
    visible_mistakes,
)
from backprop_nb.checking.report import HINTS

SEEDS = range(40)
NAMES = [question.name for question in QUESTIONS]


def right_title(exercise):
    """Return the title of the mistake in a listing."""
    return exercise.choices[answer_key(exercise)[MISTAKE]]


def rounded(key):
    return {name: np.round(value, 3) if name != MISTAKE else value for name, value in key.items()}


def by_hand(exercise):
    """Return the answers of somebody who goes on with what stands on the paper, rounded."""
    answers = {}
    for question in QUESTIONS:
        answers[question.name] = np.round(following_answers(exercise, answers)[question.name], 3)
    return answers | {MISTAKE: answer_key(exercise)[MISTAKE]}


# --- the numbers ------------------------------------------------------------------


def test_a_seed_gives_these_numbers_on_every_machine():
    mine = bp.exercise("s1234567")
    assert [each.tolist() for each in (*mine.A, *mine.b, mine.x, mine.y)] == [
        [[0.5, -1.0], [1.0, 0.5]],
        [[1.0, -2.0]],
        [-0.5, 0.5],
        [-0.5],
        [-2.0, 1.0],
        [1.0],
    ]


def test_another_process_gives_the_same_exercise():
    code = "import backprop_nb as bp; print(bp.exercise('a student'))"
    command = [sys.executable, "-c", code]
    other = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert other.stdout.strip() == str(bp.exercise("a student"))


@pytest.mark.parametrize(
    ("one", "other"), [(7, "7"), (" S123 ", "s123"), (np.int64(7), 7), ("ÄB", "äb")]
)
def test_spaces_and_capitals_do_not_matter(one, other):
    assert bp.exercise(one) is bp.exercise(other)


def test_seeds_give_different_exercises():
    shown = {tuple(map(str, (*bp.exercise(seed).A, bp.exercise(seed).x))) for seed in SEEDS}
    assert len(shown) == len(SEEDS)
    assert len({right_title(bp.exercise(seed)) for seed in SEEDS}) > 10


@pytest.mark.parametrize(
    ("seed", "error"),
    [(1.5, bp.UnsupportedError), (True, bp.UnsupportedError), (" ", bp.InvalidValueError)],
)
def test_what_is_no_seed_is_refused(seed, error):
    with pytest.raises(error):
        bp.exercise(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_key_is_that_of_the_network(seed):
    mine = bp.exercise(seed)
    net = bp.SigmoidNetwork.from_parameters(mine.A, mine.b)
    assert net.widths == WIDTHS
    forward, backward = net.forward(mine.x), net.backward(mine.x, mine.y)
    key = answer_key(mine)
    right = {f"{name}[{i}]": getattr(forward, name)[i] for name in "zf" for i in (1, 2)}
    right |= {f"delta[{i}]": backward.delta[i] for i in (1, 2)}
    right |= {f"dA[{i}]": backward.A[i] for i in (0, 1)}
    for name, value in (right | {"L": net.loss(mine.x, mine.y)}).items():
        np.testing.assert_allclose(key[name], value, rtol=1e-12)
    assert [np.shape(key[each.name]) for each in QUESTIONS] == [each.shape for each in QUESTIONS]


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_small_and_answers_can_be_seen_in_three_digits(seed):
    mine = bp.exercise(seed)
    for array in (*mine.A, *mine.b, mine.x, mine.y):
        assert np.abs(array).max() <= 2
        np.testing.assert_array_equal(2 * array, np.round(2 * array))
    assert all(np.abs(answer_key(mine)[name]).min() >= 0.01 for name in NAMES)


# --- checking -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("answers", [rounded, by_hand], ids=["rounded", "rounded on the way"])
def test_rounding_is_no_mistake(seed, answers):
    mine = bp.exercise(seed)
    given = answers(answer_key(mine)) if answers is rounded else answers(mine)
    report = mine.check(given)
    assert report.ok, str(report)
    assert report.score == 1.0


@pytest.mark.parametrize("mistake", visible_mistakes(), ids=lambda each: each.id)
def test_a_mistake_of_the_catalogue_is_recognised_in_the_answers(mistake):
    named = 0
    for seed in SEEDS:
        mine = bp.exercise(seed)
        given = {name: np.round(value, 4) for name, value in answers_with(mine, mistake).items()}
        report = mine.check(given, only=list(given))
        assert not report.ok
        found = [each.mistake for each in report.findings]
        assert mistake.id in found
        named += found == [mistake.id]
    assert named > len(SEEDS) / 2  # most numbers tell it from all others


@pytest.mark.parametrize("hints", HINTS)
def test_of_two_mistakes_that_explain_the_answers_the_second_is_another_one(hints):
    mine = bp.exercise(3)
    key = answer_key(mine)
    # Whether σ′ is missing at the output only, a single answer does not tell.
    given = {"delta[2]": key["delta[2]"] / key["sigma_prime[2]"]}
    report = mine.check(given, only=["delta[2]"], hints=hints)
    assert len(report.findings) == 2
    text = " ".join(str(report).split())
    assert text.count("delta[2] is the first answer that is wrong") == (hints != "plain")
    assert text.count("Or it is another mistake: delta[2] is the first answer that it makes") == (
        hints in ("vague", "clear")
    )


def test_one_mistake_costs_one_answer():
    mine = bp.exercise(3)
    answers = by_hand(mine)
    answers["delta[2]"] = answers["delta[2]"] / 2
    for name in ("dA[1]", "delta[1]", "dA[0]"):
        answers[name] = answers[name] / 2
    report = mine.check(answers)
    wrong = [each.name for each in report.parameters if not each.ok]
    assert wrong == ["delta[2]"]
    assert report.score == pytest.approx(11 / 12)
    assert "it follows from an earlier answer" in str(report)
    assert report.findings[0].mistake == "missing_factor_2"


def test_a_matrix_that_is_turned_is_told_its_shape_and_numbers_in_a_row_are_not():
    mine = bp.exercise(3)
    [entries] = by_hand(mine)["dA[1]"]
    said = {}
    for written in ([entries], entries, [[each] for each in entries]):
        report = mine.check({"dA[1]": np.array(written)}, only=["dA[1]"])
        assert report.ok
        said[np.shape(written)] = report.parameters[0].remark
    assert said == {(1, 2): "", (2,): "", (2, 1): "but dA[1] is (1, 2), and this is (2, 1)"}


def test_zeros_earn_nothing():
    mine = bp.exercise(3)
    zeros = {each.name: np.zeros(each.shape) for each in QUESTIONS}
    report = mine.check(zeros, only=["delta[2]", "dA[1]", "delta[1]", "dA[0]"])
    assert report.score == 0.0


def test_words_in_place_of_numbers_are_wrong_and_have_no_explanation():
    report = bp.exercise(1).check(dict.fromkeys(NAMES, "x"))
    assert report.score == 0.0
    assert report.findings == ()
    assert "it has no number" in str(report)


def test_an_answer_without_a_number_is_not_explained_by_those_before_it():
    mine = bp.exercise(1)
    key = answer_key(mine)
    for written in ("a", [], ..., None, [[key["dA[1]"][0, 0], ...]], [[None, 1.0]]):
        report = mine.check(by_hand(mine) | {"dA[1]": written}, only=NAMES)
        assert report.findings == ()
        assert sum(each.ok for each in report.parameters) == len(NAMES) - 1


LEFT_OPEN = [{}, *(dict.fromkeys([*NAMES, MISTAKE], each) for each in (..., None, [[1.0, ...]]))]


@pytest.mark.parametrize("answers", LEFT_OPEN, ids=["missing", "dots", "None", "half"])
@pytest.mark.parametrize("hints", HINTS)
def test_what_is_left_open_is_not_called_wrong(hints, answers):
    report = bp.exercise(1).check(answers, hints=hints)
    assert report.score == 0.0
    assert report.findings == ()
    assert str(report) == "exercise: not answered yet."
    assert "Score" not in report._repr_mimebundle_()["text/html"]
    half = {"z[1]": answer_key(bp.exercise(1))["z[1]"]} | answers
    told = str(bp.exercise(1).check(half, only=["z[1]", "f[1]"], hints=hints))
    assert "not answered yet" in told
    assert "wrong" not in told


@pytest.mark.parametrize("hints", HINTS)
@pytest.mark.parametrize("written", range(1, 12))
def test_what_is_left_open_is_no_mistake_that_could_be_named(written, hints):
    mine = bp.exercise(1)
    answers = {name: answer_key(mine)[name] if k < written else ... for k, name in enumerate(NAMES)}
    report = mine.check(answers, only=NAMES, hints=hints)
    assert report.findings == ()
    assert sum(each.ok for each in report.parameters) == written


@pytest.mark.parametrize(
    "value", [np.nan, [np.inf, 1.0], [1.0, 2.0, 3.0], [[]], [1, [2]], {"a": 1}, 1e300]
)
def test_invalid_answers_are_wrong_and_nothing_else_happens(value):
    mine = bp.exercise(1)
    report = mine.check(by_hand(mine) | {"z[1]": value})
    assert not report.parameters[0].ok


def summary(name, value, **options):
    mine = bp.exercise(1)
    (checked,) = mine.check(by_hand(mine) | {name: value}, only=[name], **options).parameters
    return checked.summary("vague")


QUOTED = "a text: write the number without quotes"


NO_NUMBERS = {
    QUOTED: ["0.5", " -1.5e0 ", ["1.0", "0.5"], [1.0, "0.5"], [["1.0"]]],
    f"{QUOTED}, and with a point, not a comma": ["0,5", ["0,182", "-0,119"]],
    "it has no number": ["", "x", "a, b", [], [1j, "1.0"], {"a": "1"}, [[]]],
}


@pytest.mark.parametrize(
    ("value", "said"), [(each, said) for said, values in NO_NUMBERS.items() for each in values]
)
def test_an_answer_that_is_no_number_is_told_how_to_write_one(value, said):
    assert summary("z[1]", value) == f"wrong: {said}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("z[1]", [0, 182, 0, 119]),
        ("L", (0, 5)),
        ("dA[1]", [[0, 1, -1, 25]]),
        ("dA[0]", [[0, 1, 0, 2], [0, 3, 0, 4]]),
        ("z[1]", np.array([0.0, 182.0, 0.0, 119.0])),
    ],
)
def test_twice_as_many_whole_numbers_have_decimal_commas(name, value):
    shape = np.shape(value)
    text = summary(name, value)
    assert text.startswith(f"wrong: its shape is {shape}, expected ")
    assert text.endswith(": write 0.5 with a point, as 0,5 is two numbers")


@pytest.mark.parametrize("value", [[0.5, 1.5, 0.5, 2.5], [1, 2, 3]])
def test_any_other_shape_has_nothing_to_do_with_commas(value):
    assert "point" not in summary("z[1]", value)


@pytest.mark.parametrize("written", ["{}", " {} ", "{}.", "{})", "({})", "'{}'", "{}:"])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_a_letter_counts_however_it_is_written(written, case):
    mine = bp.exercise(1)
    letter = written.format(case(answer_key(mine)[MISTAKE]))
    for given in (letter, [letter], (letter,), np.array([letter]), np.array(letter)):
        assert mine.check({MISTAKE: given}, only=[MISTAKE]).ok


def test_another_letter_is_wrong_and_what_is_none_is_told_so():
    right = answer_key(bp.exercise(1))[MISTAKE]
    other = next(each for each in "abcd" if each != right)
    assert summary(MISTAKE, f"{other.upper()})") == "wrong: it is a different one"
    itself = []
    itself.append(itself)
    for given in ("", "e", 1, "sign flipped", "a or b", ["a", "b"], itself, "..", right + right):
        assert summary(MISTAKE, given) == "wrong: expected one letter from a to d"


def test_rows_columns_and_single_numbers_are_one_answer():
    mine = bp.exercise(1)
    key = answer_key(mine)
    given = {"z[1]": [[z] for z in key["z[1]"]], "z[2]": float(key["z[2]"][0]), "L": [key["L"]]}
    assert mine.check(given | {"dA[1]": key["dA[1]"][0]}, only=["z[1]", "z[2]", "L", "dA[1]"]).ok


def test_an_unknown_answer_is_noted_and_an_unknown_question_refused():
    mine = bp.exercise(1)
    said = "There is no question 'delta_2'. Did you mean 'delta[2]'?"
    assert said in " ".join(str(mine.check({"delta_2": 1})).split())
    with pytest.raises(bp.NotFoundError, match="'delta_2', which this exercise does not ask"):
        mine.check({}, only=["delta_2"])
    with pytest.raises(bp.UnsupportedError, match="`answers` must be a dict"):
        mine.check([1, 2])


@pytest.mark.parametrize("hints", HINTS)
def test_no_hint_gives_the_right_answers_away(hints):
    mine = bp.exercise(5)
    answers = by_hand(mine)
    right = f"{answers['f[2]'][0]:.3f}"[:-1]
    answers["f[2]"] = 0.123
    report = mine.check(answers, hints=hints)
    assert ("0.123" in str(report)) == (hints != "none")
    said = str(report) + repr(report.to_dict()) + report._repr_mimebundle_()["text/html"]
    assert right not in said.replace("0.123", "")
    for each in report.parameters:
        assert each.name == MISTAKE or np.isnan(each.expected).all()


def test_nothing_that_an_exercise_offers_is_its_key():
    mine = bp.exercise(5)
    key = answer_key(mine)
    offered = [getattr(mine, name) for name in dir(mine) if not name.startswith("_")]
    numbers = [each for each in offered if isinstance(each, tuple | np.ndarray)]
    assert len(numbers) == 4  # A, b, x and y
    assert not any(callable(each) and each.__name__ != "check" for each in offered)
    assert not any(
        np.shape(each) == np.shape(key[name]) and np.allclose(each, key[name])
        for name in NAMES
        for each in [*mine.A, *mine.b, mine.x, mine.y]
    )


def test_what_a_program_has_computed_is_noted():
    mine = bp.exercise(5)
    report = mine.check(answer_key(mine))
    assert report.ok
    assert "to more digits than a pencil writes" in report.notes[0]
    assert "z[1]" not in report.notes[0]  # it is a whole number of halves
    assert mine.check(by_hand(mine)).notes == ()
    assert mine.check(answer_key(mine), only=["f[1]"]).notes == ()  # as of one's own function
    assert mine.check(answer_key(mine) | {"f[1]": [9.123456789123456, 9]}).notes != report.notes


# --- the listing ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_one_choice_and_no_other_is_in_the_listing(seed):
    mine = bp.exercise(seed)
    titles = list(mine.choices.values())
    assert list(mine.choices) == list("abcd")
    assert len(set(titles)) == 4
    chosen = [each for each in readable_mistakes() if each.title in titles]
    others = [each for each in chosen if each.title != right_title(mine)]
    assert len(others) == 3
    [right] = [each for each in chosen if each.title == right_title(mine)]
    assert all(each.combines_with(right) for each in others)
    for letter in mine.choices:
        report = mine.check({MISTAKE: letter}, only=[MISTAKE])
        assert report.ok == (mine.choices[letter] == right.title)


def test_the_text_and_the_markdown_hold_numbers_questions_and_choices():
    mine = bp.exercise(7)
    for text in (str(mine), mine._repr_markdown_()):
        assert all(name in text for name in NAMES)
        assert all(title in text for title in mine.choices.values())
        assert mine.listing.split("\n")[3] in text
    assert repr(mine) == "Exercise('7')"


def test_no_mistake_of_a_backward_pass_is_named_for_a_wrong_loss():
    given = bp.exercise("somebody")
    answers = {"L": answer_key(given)["L"] + 1, "delta[2]": answer_key(given)["delta[2]"]}
    (finding,) = given.check(answers, only=list(answers)).findings
    assert (finding.mistake, finding.parameter) == ("not_recognised", "L")
    assert "right" not in finding.message


def test_a_wrong_answer_is_shown_as_it_was_written():
    assert "L is 0.268" in str(bp.exercise("somebody").check({"L": 0.268}, hints="vague"))
    assert "0.26800" not in str(bp.exercise("somebody").check({"L": 0.268}, hints="vague"))


def test_of_a_single_number_no_entry_is_named():
    report = bp.exercise(1).check({"delta[2]": 9.5}, only=["delta[2]"], hints="clear")
    assert "delta[2]  wrong: delta[2] is 9.5" in str(report)
