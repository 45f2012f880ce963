"""What is said to a course: its own names and letters, and no sigmoid where there is none."""

import re

import pytest
from courses import COURSES, OPTIONS, in_course

import backprop_nb as bp
from backprop_nb.checking.convention import Course
from backprop_nb.checking.reference import STEPS
from backprop_nb.checking.search import whole_mistakes
from backprop_nb.checking.wording import spoken

TANH = Course("rows", weights="in_out", activation="tanh", output="identity", parameters="dict")


def test_the_documents_own_words_stay_as_they_are():
    text = "dA[1] is right: A_1ᵀ δ_2 and σ′(z_1), and A itself."
    assert spoken(text, Course()) == text


@pytest.mark.parametrize("mistake", whole_mistakes(TANH), ids=lambda mistake: mistake.id)
def test_no_word_of_the_document_is_left_in_a_course_of_another_kind(mistake):
    words = mistake.words(TANH)
    for text in (words.title, words.explanation, *words.hints, words.at_one):
        said = spoken(text, TANH)
        assert "sigmoid" not in said or mistake.id in {
            "sigma_prime_formula_on_z",
            "slope_of_sigmoid",
        }
        assert "σ" not in said
        assert "¼" not in said
        assert not re.search(r"[^.?:“] A\b|\bdA\b|Aᵀ", said), said


def test_titles_of_steps_lose_their_sigmoids_too():
    said = [spoken(text, TANH) for step in STEPS for text in (step.title, step.symbol_at(1))]
    assert not any("σ" in text for text in said)
    assert "the slope in a hidden layer" in said


@pytest.mark.parametrize("hints", ["none", "vague", "clear", "plain"])
def test_a_report_speaks_of_the_courses_parameters(hints):
    name = "columns, dict, tanh"
    wrong = in_course(COURSES[name], "sigma_prime_missing_in_hidden")
    report = bp.check_backward(wrong, **OPTIONS[name], hints=hints)
    assert [each.name for each in report.parameters] == ["dW1", "db1", "dW2", "db2"]
    assert report.findings[0].parameter == "dW1"
    text = " ".join(str(report).split())
    assert "dW1 is the first gradient" in text or hints == "plain"
    assert ("the slope in a hidden layer" in text) == (hints in ("clear", "plain"))
    assert ("It breaks equation" in text) is False


def test_the_first_quantity_that_is_wrong_is_one_that_the_course_has():
    course = Course("rows", output="identity", activation="tanh", names=("W", "b"))
    wrong = in_course(course, "sigma_prime_twice")
    options = {"samples": "rows", "output": "identity", "activation": "tanh", "names": ("W", "b")}
    (finding,) = bp.check_backward(wrong, **options).findings
    assert finding.layers == (1, 2)
    assert "the slope in a hidden layer" in finding.message
    assert "at the output" not in finding.message
