"""An answer is judged in every form it may have, and whatever it is, nothing raises."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import IPython
import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.answers import GIVE_UP, Question, _as_written
from backprop_nb.data import QUESTIONS
from backprop_nb.errors import InvalidValueError, NotFoundError

ASKED = {
    "sign": {"right": "-", "because": "It falls.", "wrong": {"+": "It would rise."}},
    "count": {"right": 27, "wrong": {"24": "No biases?"}, "otherwise": "Count again."},
    "share": {"right": 0.25},
    "about": {
        "right": 10,
        "within": 3,
        "wrong": {"0": "None at all?", "0.1": "That is the share."},
    },
    "shape": {"right": [3, 2], "wrong": {"(2, 3)": "Rows first."}},
    "gradients": {"right": ["dA[2]", "db[2]"], "wrong": {"dA[2]": "And the bias?"}},
    "falls": {"right": "yes", "wrong": {"no": "Look again."}},
    "side": {"right": "held out", "wrong": {"training": "Look again."}},
    "choice": {"right": "about 10", "wrong": {"about 50": "Fewer.", "about 90": "Fewer."}},
    "word": {"right": "delta"},
    "name": {"right": "db", "expects": 'a name, such as "dA"', "otherwise": "Made of δ alone."},
    "code": {"right": "dZ @ W.T", "wrong": {"dZ @ W": "And the shapes?"}},
}


@pytest.fixture(scope="module")
def check():
    return bp.questions(ASKED)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        *(("sign", each) for each in ("-", " - ", "−", "–", "minus", "Negative.", "subtract")),
        *(("count", each) for each in (27, 27.0, np.int64(27), np.array([27]), " 54/2 ")),
        *(
            ("share", each)
            for each in (0.25, 0.251, np.float32(0.25), "1/4", "0,25", " 0.25 ", "25 %", "25,0%")
        ),
        *(("about", each) for each in (7, 13)),
        *(("shape", each) for each in ((3, 2), [3, 2], np.array([3, 2]), "[3, 2]", "3 × 2")),
        *(("gradients", each) for each in (["db[2]", "dA[2]"], "dA[2], db[2]", {"dA[2]", "db[2]"})),
        *(("gradients", each) for each in ("dA[2] and db[2]", ["dA2/db2"], "dA2 + db2")),
        ("gradients", '["dA[2]", "db[2]"]'),
        *(("falls", each) for each in (True, "Yes", "yes.", "y", np.True_)),
        *(("side", each) for each in ("held-out", "Held_Out", "the held out", "(held out)")),
        *(("side", each) for each in ('"held out"', ["held out"])),
        *(("choice", each) for each in ("about 10", "10", "About 10.", 10.0, np.int64(10))),
        *(("code", each) for each in ("dZ @ W.T", "dZ@W.T", " dz  @W.T")),
    ],
)
def test_a_right_answer_opens_the_way(check, name, answer, capsys):
    found = check(name, answer)
    assert found
    assert found.is_right
    assert capsys.readouterr().out.startswith(f"{name}: right.")


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("sign", "+", '"+". It would rise.'),
        ("count", 24, "24. No biases?"),
        ("count", 28, "28. Count again."),
        ("count", np.nan, "nan. Count again."),
        ("count", "1,000", '"1,000", read as 1.000 and not as 1000. Count again.'),
        ("count", "0,125", '"0,125". Count again.'),
        ("share", 0.2, "0.2. Try again."),
        ("share", 1 / 3, "0.333333. Try again."),
        ("about", 14, "14. Try again."),
        ("about", 1, "1. Try again."),
        ("about", 0.1, "0.1. That is the share."),
        ("about", 0, "0. None at all?"),
        ("shape", (2, 3), "(2, 3). Rows first."),
        ("gradients", "dA[2]", '"dA[2]". And the bias?'),
        ("gradients", ["x"], '"x". Try again.'),
        ("falls", False, "False. Look again."),
        ("choice", 50, "50. Fewer."),
        ("word", "sigma", '"sigma". Try again.'),
        ("name", "dA", '"dA". Made of δ alone.'),
    ],
)
def test_a_wrong_answer_is_refused_and_told_why(check, name, answer, said, capsys):
    assert not check(name, answer)
    assert capsys.readouterr().out == f"{name}: not {said}\n"


@pytest.mark.parametrize(
    ("name", "answer", "shown", "form"),
    [
        ("sign", "yes", '"yes"', '"+" or "-".'),
        ("sign", 3, "3", '"+" or "-", in quotation marks.'),
        ("count", None, "None", "a number."),
        ("count", "2 x 12", '"2 x 12"', "a number, in digits and without quotation marks."),
        ("count", [], "[]", "a number."),
        ("count", [1, 2], "[1, 2]", "a number."),
        ("share", (0, 25), "(0, 25)", "a number, with a point in place of a comma."),
        (
            "share",
            "1.000,25",
            '"1.000,25"',
            "a number, with a point in place of a comma and without quotation marks.",
        ),
        ("code", np.ones((1, 2)), "[[1. 1.]]", '"dZ @ W" or "dZ @ W.T", in quotation marks.'),
        ("shape", 6, "6", "2 numbers in brackets, such as (0, 0)."),
        ("gradients", [], "[]", "a list of texts, in quotation marks."),
        ("falls", None, "None", '"yes" or "no", in quotation marks.'),
        ("choice", 20, "20", '"about 10", "about 50" or "about 90", in quotation marks.'),
    ],
)
def test_what_cannot_be_read_is_told_its_form(check, name, answer, shown, form, capsys):
    assert not check(name, answer)
    said = f"{name}: {shown} cannot be read as an answer. Write {form}"
    assert " ".join(capsys.readouterr().out.split()) == said


def test_numbers_need_no_brackets_and_a_text_may_be_written_otherwise(capsys):
    check = bp.questions(
        {"shape": {"right": [3, 2]}, "b": {"right": "delta[2]", "also": ["db[1]"]}}
    )
    assert check("shape", 3, 2)
    assert not check("shape", ..., ...)
    assert not check("shape")
    assert check("b", "db[1]")
    assert check("b", "delta[2]")
    capsys.readouterr()
    check("b", "?")
    assert '"delta[2]"' in capsys.readouterr().out


@pytest.mark.parametrize("right", [["a+b", "b"], ["+", "-"], ["da/db", "db"], ["this or that"]])
def test_what_stands_in_a_right_text_separates_none(right):
    question = Question(right)
    assert question.is_right(right)
    assert question.is_right(", ".join(reversed(right)))
    assert not question.is_right([part for each in right for part in re.split("[+/]| or ", each)])


def test_a_tiny_number_is_not_zero_and_zero_is_exact():
    assert not Question(9e-13).is_right(0)
    assert Question(9e-13).is_right(9.02e-13)
    assert Question(0).is_right(0.0)
    assert not Question(0).is_right(1e-15)
    assert Question(2**64).is_right(2**64)


class Odd:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(
    "answer",
    [None, Odd(), object, [], {}, "", [[1], [2, 3]], 1j, "x" * 999, np.zeros(0), [None, "a"]],
)
def test_nothing_that_is_written_raises(check, name, answer, capsys):
    assert not check(name, answer)
    said = capsys.readouterr().out
    assert len(said) < 250


@pytest.mark.parametrize("name", ASKED)
def test_an_open_answer_gives_nothing_away(check, name, capsys):
    for dots in (..., (..., ...), [1, ...], "...", " … ", "", ()):
        assert not check(name, dots)
    assert not check(name)
    said = capsys.readouterr().out
    assert said.count("not answered yet. Write ") == 8
    assert str(ASKED[name].get("because", "no reason")) not in said
    right = Question(ASKED[name]["right"])
    if not (isinstance(right.right, str) and ASKED[name].get("wrong")):
        assert str(right.right) not in said


@pytest.mark.parametrize("name", ASKED)
def test_who_asks_for_the_answer_gets_it_and_goes_on(check, name, capsys):
    found = check(name, GIVE_UP)
    assert found
    assert not found.is_right
    assert "the answer is " in capsys.readouterr().out


def test_the_right_answer_is_not_always_the_first_choice():
    assert Question("a", wrong={"b": ""}).form == Question("b", wrong={"a": ""}).form
    assert Question("no", wrong={"yes": ""}).form == '"yes" or "no"'


def test_an_answer_shows_nothing_besides_its_text():
    from IPython.core.formatters import DisplayFormatter

    answer = bp.questions(ASKED)("sign", "-")
    assert DisplayFormatter().ipython_display_formatter(answer)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"wrong": {}}, "has no `right`"),
        ({"right": 1, "write": 2}, "has `write`, which says nothing"),
        ({"right": None}, "neither a text, a number, nor a list"),
        ({"right": [1, "a"]}, "neither a text, a number, nor a list"),
        ({"right": 1, "wrong": {"one": "?"}}, "has a wrong answer that is none"),
        ({"right": 1, "wrong": {"1": "?"}}, "has a wrong answer that is none"),
        ({"right": [1, 2], "wrong": {"1": "?"}}, "has a wrong answer that is none"),
        ({"right": 1, "wrong": {"0": {"5": "A dotted key."}}}, "has a reason that is no text"),
        ({"right": 1, "because": 3}, "has a reason that is no text"),
        ({"right": "a", "also": "ab"}, "has an `also` that is no list of answers"),
        ({"right": ["a"], "also": ["a b"]}, "has an `also` that is no list of answers"),
        (3, "is no table"),
    ],
)
def test_a_question_that_is_not_written_as_it_must_be_is_refused(table, problem):
    with pytest.raises(InvalidValueError) as raised:
        bp.questions({"q": table})
    assert str(raised.value).startswith("The question 'q' ")
    assert problem in str(raised.value)


def test_a_teacher_keeps_the_answers_in_a_file(tmp_path, capsys):
    file = tmp_path / "answers.toml"
    file.write_text('[slope]\nright = 0.25\n[slope.wrong]\n"1" = "That is tanh\'s."\n', "utf-8")
    assert not bp.questions(file)("slope", 1)
    assert bp.questions(str(file))("slope", 0.25)
    assert "That is tanh's." in capsys.readouterr().out
    file.write_text("", "utf-8")
    with pytest.raises(InvalidValueError, match="There is no question in it"):
        bp.questions(file)
    file.write_text("[slope", "utf-8")
    with pytest.raises(InvalidValueError, match=r"answers\.toml is not written as TOML is"):
        bp.questions(file)


def test_what_does_not_exist_is_said(check):
    with pytest.raises(NotFoundError, match="There is no question 'sgin'"):
        check("sgin", ...)
    with pytest.raises(NotFoundError, match="There are no questions '99_nothing'") as raised:
        bp.questions("99_nothing")
    assert "00_start_here" in str(raised.value)


@pytest.mark.parametrize("file", sorted(QUESTIONS.glob("*.toml")), ids=lambda file: file.stem)
def test_each_answer_of_a_lesson_is_accepted_and_each_wrong_one_has_its_own_reason(file):
    lesson = bp.questions(file)
    asked = [lesson[name] for name in lesson.names]
    assert all(each.is_right(each.right) for each in asked)
    assert [each for each in asked if not (each.wrong or each.otherwise)] == []
    assert all(each.because for each in asked)
    for each in asked:
        told = {answer: each.reason(_as_written(answer, each.right)) for answer in each.wrong}
        assert told == each.wrong


def test_the_recipe_for_teachers_does_what_it_says(tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / "notebooks/assignment/README.md").read_text("utf-8")
    ((toml, python),) = re.findall(r"```toml\n(.*?)```.*?```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "answers.toml").write_text(toml, "utf-8")
    monkeypatch.chdir(tmp_path)
    said = []
    for answer in ("...", "1", "0.5", "0.25"):
        exec(python.replace("...", answer), {"bp": bp})
        said.append(capsys.readouterr().out.splitlines())
    assert [lines[0] for lines in said] == [
        'slope: not answered yet. Write a number, or "?" to see the answer.',
        "slope: not 1. That is tanh's.",
        "slope: not 0.5. The slope is σ (1 − σ). When is that largest?",
        "slope: right. It is largest in the middle, where σ is one half.",
    ]
    assert [len(lines) > 1 for lines in said] == [False, False, False, True]


# In the explorer's predict mode, too: tests/js/answers.test.mjs has the same cases.
TYPED = json.loads((Path(__file__).parents[1] / "typed_numbers.json").read_text("utf-8"))


@pytest.mark.parametrize(("typed", "number"), [*TYPED["numbers"].items(), ("[(1/2)^-1]", 2)])
def test_a_number_is_read_as_people_write_it(typed, number):
    question = Question(number, within=0)
    assert question.is_right(typed)
    assert not question.fits(f"{typed} + 0")  # what is asked for is a number


@pytest.mark.parametrize("typed", TYPED["others"])
def test_what_is_no_number_cannot_be_read_as_one(typed):
    assert not Question(1.0).fits(typed)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ('check("q", 0.5^2)', 'check("q", 0.5**2)'),
        ('if check("q", (1/2)^2):  # 2^2', 'if check("q", (1/2)**2):  # 2^2'),
        ('check("q", 2^3); print(2^3)', 'check("q", 2**3); print(2^3)'),
        ('check("q", [2^10])', 'check("q", [2**10])'),
        ('check("q", [2^3, 10 %])', 'check("q", [2**3, 10 /100])'),
        ("ok = check('q', 25%)", "ok = check('q', 25/100)"),
        ('check("q", (10 %), 1000^(1/3) %)', 'check("q", (10 /100), 1000**(1/3) /100)'),
        ('if check("q", - ):', 'if check("q", "-" ):'),  # without the quotation marks
        ("check('q', +)", "check('q', \"+\")"),
        ("check('q', no), 1", "check('q', \"no\"), 1"),
        *((each, each) for each in ("no = 1; check('q', no)", "check('q', nothing)")),
        ('check("q", 2*10^-5), check("q", 5^2)', 'check("q", 2*10**-5), check("q", 5**2)'),
        ('check(\n    "q",\n    2^(1+2),\n)', 'check(\n    "q",\n    2**(1+2),\n)'),
        *((each, each) for each in ('check("q", 10 % 3)', 'check("q", "2^3")', 'other("q", 2^3)')),
        *((each, each) for each in ('check("q", a^3)', "check(2^3)", 'check("q", 2^3', '"""2^3')),
        *((each, each) for each in ('s = """\ncheck("q", 10 %)\n"""', 'check("q"), 2^3')),
    ],
)
def test_a_notebook_reads_a_power_and_a_share_that_are_no_python(monkeypatch, typed, read):
    shell = SimpleNamespace(input_transformers_post=[], user_ns={"other": print})
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    for _ in range(2):
        shell.user_ns["check"] = bp.questions({"q": {"right": 0.25}})
    [transform] = shell.input_transformers_post
    assert transform(typed.splitlines(keepends=True)) == read.splitlines(keepends=True)
