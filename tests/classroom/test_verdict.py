"""What a student gets back: as text and as a page, with no more than the hints allow."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from backprop_nb.checking.asking import ask_all
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.probes import make_probes
from backprop_nb.classroom import verdict
from backprop_nb.classroom.assignment import options_in
from backprop_nb.classroom.host import Reply
from backprop_nb.classroom.page import feedback_page, summary_page
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.summary import summarise
from backprop_nb.classroom.verdict import examine, make_settings, report_on, result_of
from backprop_nb.errors import InvalidValueError, UnsupportedError

ATTACK = '<img src=x onerror="alert(1)">.py'


def feedback(hints="plain"):
    settings = make_settings(hints=hints)
    wrong = make_backward("sign_flipped", samples="single")
    result = result_of(Reply("answered", ask_all(wrong, make_probes(settings.course))), settings)
    return result["text"], feedback_page(ATTACK, result["html"], settings.course).decode()


def tags(page):
    found = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.add(tag)
    parser.feed(page)
    return found


def test_a_hostile_name_is_text_and_nothing_runs():
    _, page = feedback()
    assert {"img", "script", "link"}.isdisjoint(tags(page))
    assert "default-src &#x27;none&#x27;" in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize(
    ("hints", "mistake", "given", "expected"),
    [("none", False, False, False), ("vague", False, True, False), ("plain", True, True, True)],
)
def test_both_say_as_much_as_the_hints_allow(hints, mistake, given, expected):
    for text in feedback(hints):
        assert ("The sign is flipped" in text) == mistake
    _, page = feedback(hints)
    assert ("given, (" in page) == given
    assert ("expected, (" in page) == expected


def test_who_gave_no_gradients_reads_why_and_nothing_else():
    settings = make_settings(function="grad")
    reply = Reply("ended", problem="It ended.", notes=("cell 1 raised <b>E</b>",))
    result = result_of(reply, settings)
    page = feedback_page("a.py", result["html"], settings.course).decode()
    for text in (result["text"], page):
        assert "grad: no gradients to check." in text
        assert "It ended." in text
    assert "cell 1 raised &lt;b&gt;E" in page
    assert "<li" not in page


@pytest.mark.parametrize("reply", [Reply("too slow", problem="No end."), Reply("unreadable")])
def test_the_report_on_no_gradients_has_the_hints_of_the_others(reply):
    assert report_on(reply, make_settings(hints="vague")).hints == "vague"


def test_it_says_how_the_course_writes_it():
    assert "Loss ‖y − f‖²; one sample; networks of 3 layers." in feedback()[1]


# --- any course ----------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "notebooks/courses.md"
SECTIONS = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
HEAD = "import numpy as np\nimport backprop_nb as bp\n"
NAMES = ["Welch", "deeplearning.ai", "Ng, exercise 4", "cs231n", "UDL"]


@pytest.fixture(params=NAMES)
def course(request, tmp_path):
    """A right pass in a course's style, the same with a wrong line, and the course's options."""
    (section,) = (each for each in SECTIONS if each.startswith(f"{request.param}\n"))
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    ((right, wrong),) = re.findall(r"^Change `(.+)` to `(.+?)`:", section, re.MULTILINE)
    assignment = tmp_path / "assignment.py"
    assignment.write_text(code, encoding="utf-8")
    source = HEAD + code.partition("report = ")[0]
    return source, source.replace(right, wrong), wrong, options_in(assignment)


def graded(source, **options):
    return examine(Submission("ada.py", "", (("ada.py", source),)), make_settings(**options))


def test_each_course_is_graded_as_its_assignment_says(course):
    right, wrong, line, options = course
    result = graded(right, **options)
    assert (result["outcome"], result["ok"]) == ("answered", True)
    number = wrong[: wrong.index(line)].count("\n") + 1
    for hints, has_line in (("vague", False), ("plain", True)):
        result = graded(wrong, **options, hints=hints)
        assert not result["ok"]
        shown = re.findall(rf"^ +{number} \| .*{re.escape(line)}", result["text"], re.MULTILINE)
        assert len(shown) == has_line
        assert (f"{number} | " in result["html"]) == has_line
        assert (result["findings"][0]["line"] == number) == has_line
    (summary,) = [summarise([{**result, "submission": "ada.py", "id": "s1"}],
                            make_settings(**options))]  # fmt: skip
    assert sum(each["wrong"] for each in summary["layers"]) >= 1
    assert b"layer 1" in summary_page(summary)


def test_of_a_notebook_the_feedback_says_in_which_cell_the_line_is(sign_flipped):
    head, body = sign_flipped.split("def backward")
    cells = (("cell 2", head), ("cell 5", f"def backward{body}"))
    result = examine(Submission("ada.ipynb", "", cells), make_settings())
    line = result["findings"][0]["line"]
    assert "y - f[-1]" in f"def backward{body}".split("\n")[line - 1]
    assert result["notes"] == [f"Line {line} is that of cell 5 of the notebook."]


def test_of_two_wrong_lines_the_first_is_shown_and_the_other_named(sign_flipped):
    twice = sign_flipped.replace("np.outer(delta, f[i])", "np.outer(f[i], delta)")
    assert twice != sign_flipped
    [first, *_] = graded(twice)["findings"]
    assert "y - f[-1]" in twice.split("\n")[first["line"] - 1]
    assert "np.outer(f[i], delta), seems to be wrong, too" in " ".join(
        graded(twice)["text"].split()
    )


def test_who_does_not_come_to_an_end_with_the_line_keeps_the_answers(sign_flipped):
    once = "calls = []\n" + sign_flipped.replace(
        "    f = [x]", "    calls.append(0)\n    while len(calls) > 5: pass\n    f = [x]"
    )
    result = graded(once, timeout=1.0)
    assert (result["outcome"], result["findings"][0]["mistake"]) == ("answered", "sign_flipped")
    assert result["findings"][0]["line"] is None


@pytest.mark.parametrize("name", ["sampels", "seconds", "A"])
def test_an_option_that_does_not_exist_is_refused(name):
    with pytest.raises(UnsupportedError, match=f"There is no option `{name}`"):
        make_settings(**{name: 1})


def test_a_mistyped_option_is_answered():
    with pytest.raises(UnsupportedError, match="instead:  samples="):
        make_settings(sampels="rows")


def test_an_impossible_course_is_refused_before_anything_runs():
    with pytest.raises(InvalidValueError, match="`calls` has 'z'"):
        make_settings(calls="parameters x z")
    with pytest.raises(InvalidValueError, match="needs an output that is a probability"):
        make_settings(loss="cross-entropy", output="tanh")


BORROWED = """
import numpy as np
import backprop_nb as bp


def loss(A, b, x, y):
    for A_i, b_i in zip(A, b):
        x = bp.sigmoid(A_i @ x + b_i)
    return np.sum((y - x) ** 2)


def backward(A, b, x, y):
    return bp.grad(loss, argnums=(0, 1))(A, b, x, y)
"""
SIGN = "`backward` uses backprop_nb.grad, which differentiates (ada.py, line 13)."


@pytest.mark.parametrize("own_work", [False, True])
def test_a_borrowed_gradient_is_noted_and_worth_nothing_where_own_work_is_asked_for(own_work):
    result = graded(BORROWED, own_work=own_work)
    assert result["borrowed"] == [SIGN]
    assert SIGN in " ".join(result["text"].split())
    assert (result["ok"], result["score"]) == ((False, 0.0) if own_work else (True, 1.0))
    assert result["outcome"] == ("borrowed" if own_work else "answered")


def test_a_module_beside_that_borrows_is_seen_too(tmp_path, monkeypatch):
    probes = make_probes(make_settings().course)
    answers = ask_all(make_backward(samples="single"), probes)
    monkeypatch.setattr(verdict, "ask", lambda *_, **__: Reply("answered", answers))
    helper = BORROWED.replace("backward", "computed")
    (tmp_path / "helper.py").write_text(helper, encoding="utf-8")
    code = (("cell 1", "from helper import computed as own\nbackward = lambda *a: own(*a)"),)
    beside = (("helper.py", str(tmp_path / "helper.py")), ("gone.py", str(tmp_path / "gone.py")))
    result = examine(Submission("ada.ipynb", "", code, beside=beside), make_settings())
    assert result["borrowed"] == [SIGN.replace("ada", "helper")]


# --- every call counts ----------------------------------------------------------------------


def test_a_pass_that_is_right_when_it_is_first_called_is_not_right(right):
    once = f"{right}\nonce, used = backward, []\n\ndef backward(A, b, x, y):\n"
    once += "    used.append(0)\n    dA, db = once(A, b, x, y)\n"
    once += "    return [each * (len(used) < 2) for each in dA], [0 * each for each in db]\n"
    result = graded(once)
    assert result["score"] == 0.0
    doubled = right.replace("def backward", "total = []\n\ndef backward").replace(
        "    return dA, db", "    total.append(0)\n    return [len(total) * d for d in dA], db"
    )
    result = graded(doubled)
    assert result["score"] == 3 / 7
    assert [each["mistake"] for each in result["findings"]] == ["state_kept_between_calls"]
    assert "Every call has to be right." in result["text"]


def test_a_list_that_is_kept_between_calls_is_told_as_such(right):
    kept = right.replace("    dA, db = [None] * len(A), [None] * len(A)\n", "").replace(
        "def backward", "dA, db = [], []\n\ndef backward"
    ).replace("dA[i], db[i] = np.outer(delta, f[i]), delta",
              "dA.insert(0, np.outer(delta, f[i])); db.insert(0, delta)")  # fmt: skip
    kept = kept.replace("return dA, db", "return list(dA), list(db)")
    result = graded(kept)
    assert "units" not in result["text"]
    assert "state_kept_between_calls" in [each["mistake"] for each in result["findings"]]


def test_a_table_of_right_numbers_is_worth_nothing():
    """The networks of a class are not those that everybody can ask for."""
    table = """
import backprop_nb as bp
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.asking import ask
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.convention import Course
table = {}
for probe in make_probes(Course()):
    answer = ask(make_backward(samples="single"), probe).gradients
    table[probe.x.tobytes()] = [[answer[f"{d}[{i}]"] for i in range(3)] for d in ("dA", "db")]

def backward(A, b, x, y):
    return table.get(x.tobytes(), ([0 * a for a in A], [0 * c for c in b]))
"""
    assert graded(table, seed=0)["score"] == 1.0
    assert graded(table, seed=1234)["score"] == 0.0


def test_an_argument_that_is_changed_is_found_though_the_submission_hides_it(right):
    hides = "import backprop_nb.checking.asking as p\np._modified = lambda *_: ()\n"
    touches = right.replace("    return dA, db", "    b[0] += 1.0\n    return dA, db")
    result = graded(hides + touches)
    assert [each["mistake"] for each in result["findings"]] == ["input_modified"]


def test_those_who_answer_alike_are_judged_once_and_keep_their_own_notes(sign_flipped, monkeypatch):
    judged = []
    true = verdict.judge
    monkeypatch.setattr(verdict, "judge", lambda *a, **k: judged.append(1) or true(*a, **k))
    verdict._judged.cache_clear()
    sources = [f"# Number {k}\n{sign_flipped}" for k in range(2)] + [f"1 / 0\n{sign_flipped}"]
    settings = make_settings(hints="vague")
    one, two, other = (
        examine(Submission(f"{k}.py", "d", ((f"{k}.py", source),)), settings)
        for k, source in enumerate(sources)
    )
    assert one == two
    assert len(judged) == 2  # the third has another note in its answer
    assert "ZeroDivisionError" in other["text"]
    assert "ZeroDivisionError" not in one["html"] + two["html"]
