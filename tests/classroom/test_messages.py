"""Answers that leave a process as they are, and everything else, which is refused."""

import copy
import dataclasses
import json

import numpy as np
import pytest

from backprop_nb.checking.asking import Answers, ask, ask_all
from backprop_nb.checking.convention import Course
from backprop_nb.checking.excerpt import placed_source
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.report import Finding
from backprop_nb.checking.returned import Answer
from backprop_nb.classroom.messages import (
    clean_text,
    decode,
    decode_line,
    encode,
    encode_line,
    most_bytes,
    notes,
    parse,
)
from backprop_nb.errors import InvalidValueError

PROBES = make_probes(Course())
GOOD = encode(ask_all(make_backward(samples="single"), PROBES), PROBES)


def touching(A, b, x, y):
    A[0] -= 1.0
    b[1] = b[1] + 1.0


def test_answers_arrive_to_the_last_bit():
    touched = ask(touching, PROBES[0])
    assert touched.modified == ("A[0]", "the list b")
    strange = Answer(
        {
            "dA[0]": np.array([[np.nan, -0.0, np.inf]]),
            "dA[2]": np.float32([1e-40]),
            "db[0]": np.float16([1.5]),
            "db[1]": np.zeros((0, 3)),
            "db[2]": np.array(2.0),
        },
        {"dA[1]": "not an array"},
        loss=float("inf"),
        after=touched.after,
    )
    sent = Answers((strange,) * len(PROBES), strange, "hello")
    came = decode(parse(json.dumps(encode(sent, PROBES)).encode()), PROBES)
    assert came.printed == "hello"
    assert all(one.same_as(strange) for one in (*came.answers, came.again))
    assert came.again.invalid == strange.invalid
    assert came.again.modified == touched.modified
    assert came.again.loss == strange.loss


def test_a_gradient_far_too_large_stays_behind():
    huge = Answer({"dA[0]": np.zeros(20_000)}, after=ask(touching, PROBES[0]).after)
    came = decode(encode(Answers((huge,) * len(PROBES), huge), PROBES), PROBES)
    assert came.again.gradients == {}
    assert "20000 entries" in came.again.invalid["dA[0]"]


def test_gradients_as_large_as_the_course_asks_for_arrive():
    probes = make_probes(Course(widths=(300, 100, 2)))
    right = ask_all(make_backward(samples="single"), probes)
    message = json.dumps(encode(right, probes)).encode()
    assert len(message) < most_bytes(probes)
    came = decode(parse(message), probes)
    assert all(one.same_as(two) for one, two in zip(came.answers, right.answers, strict=True))
    assert came.again.invalid == {}


def test_a_course_s_own_names_of_what_was_changed_arrive():
    course = Course("rows", parameters="dict", calls="x y parameters", layers=2)
    probes = make_probes(course)

    def touches(x, y, parameters):
        x *= 2
        parameters["W1"] += 1
        parameters["b2"] = 0 * parameters["b2"]

    touched = ask(touches, probes[0])
    assert sorted(touched.modified) == ["W1", "the dict parameters", "x"]
    sent = Answers((touched,) * len(probes), touched)
    assert decode(encode(sent, probes), probes).again.modified == touched.modified


def test_what_was_changed_is_found_where_nothing_can_hide_it():
    """A process may say what it likes: it has to know what its arguments were."""
    quiet = changed("again", "modified", to=[])
    quiet["answers"][0]["after"] = encode_after(ask(touching, PROBES[0]))
    came = decode(quiet, PROBES)
    assert came.answers[0].modified == ("A[0]", "the list b")
    assert came.again.modified == ()


def encode_after(answer):
    return [[list(part) for part in each] for each in answer.after]


CELLS = [("cell 1", "a = 1"), ("cell 3", "def f(b):\n    é = b + 1\n    return é")]
LINE = encode_line(
    Finding(
        "wrong_line",
        "dA[0]",
        1,
        "",
        line=2,
        source=placed_source(*CELLS[1], 2, 8, 2, 13, 1, 3),
        quantity="z1",
        repair="multiply it by 2",
        proved=True,
        given=np.array([1, 2]),
        expected=np.eye(2),
        of="dz",
    )
)


def test_a_line_arrives_with_the_text_of_its_cell():
    came = decode_line(parse(json.dumps(LINE).encode()), CELLS)
    assert (came.line, came.source, came.place.around) == (2, "b + 1", CELLS[1][1])
    assert (came.quantity, came.repair, came.proved) == ("z1", "multiply it by 2", True)
    assert came.of == "dz"
    assert came.given.tolist() == [1.0, 2.0]
    assert came.expected.shape == (2, 2)
    assert decode_line({}, CELLS) is None


def test_of_a_line_values_far_too_large_stay_behind_and_no_place_is_no_line():
    there = decode_line(LINE, CELLS)
    sent = encode_line(dataclasses.replace(there, given=np.zeros(20_000)))
    assert decode_line(sent, CELLS).given is None
    assert encode_line(dataclasses.replace(there, source="b + 1")) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"cell": "cell 2"},
        {"cell": ["cell 3"]},
        {"span": [2, 8, 2]},
        {"span": [2, 8, 2, 99, 1, 3]},
        {"span": [2, 8, 9, 13, 1, 3]},
        {"span": [2, 13, 2, 8, 1, 3]},
        {"span": [0, 0, 0, 0, 0, 0]},
        {"span": [2, -8, 2, 13, 1, 3]},
        {"span": [2.0, 8, 2, 13, 1, 3]},
        {"quantity": 3},
        {"proved": "yes"},
        {"values": [1]},
        {"values": {"given": [1.0]}},
    ],
)
def test_a_line_that_no_process_of_ours_would_send_is_refused(wrong):
    with pytest.raises(InvalidValueError, match="other than gradients"):
        decode_line(LINE | wrong, CELLS)


def changed(*path, to):
    data = copy.deepcopy(GOOD)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return data


ARRAY = ("again", "gradients", "dA[0]")


@pytest.mark.parametrize(
    "data",
    [
        {},
        changed("answers", to=GOOD["answers"][:1]),
        changed("answers", to={"0": 1}),
        changed("again", to=None),
        changed("again", "gradients", to=[]),
        changed("again", "gradients", "dA[9]", to=GOOD["again"]["gradients"]["dA[0]"]),
        changed("again", "raised", to=1),
        changed("again", "failure", to=["text"]),
        changed("again", "after", to=[]),
        changed("again", "after", to=[["x", "y"]] * 4),
        changed("again", "after", to=[[["x"], ["x"]]] * 4),
        changed("again", "after", to=[[[3], [3]]] * 4),
        changed("again", "invalid", to={"dA[9]": ""}),
        changed("again", "invalid", to={"dA[0]": {}}),
        changed(*ARRAY, to=[1.0]),
        changed(*ARRAY, "dtype", to="O"),
        changed(*ARRAY, "dtype", to=["f8"]),
        changed(*ARRAY, "shape", to=[-1, -12]),
        changed(*ARRAY, "shape", to=[True, 12]),
        changed(*ARRAY, "shape", to=[10**9, 10**9]),
        changed(*ARRAY, "shape", to=[0, 10**9]),
        changed(*ARRAY, "shape", to=[1] * 100),
        changed(*ARRAY, "shape", to=[3, 5]),
        changed(*ARRAY, "data", to="****"),
        changed(*ARRAY, "data", to="AAAA"),
        changed("printed", to=3),
        changed("again", "loss", to=3.0),
        changed("again", "loss", to="much"),
    ],
)
def test_what_no_process_of_ours_would_send_is_refused(data):
    with pytest.raises(InvalidValueError, match="other than gradients"):
        decode(data, PROBES)


@pytest.mark.parametrize(
    "message", [b"", b"hello", b"\xff", b"[1]", b"[" * 100_000, b"1" * 10_000, b'"text"']
)
def test_a_message_that_is_no_object_is_refused(message):
    with pytest.raises(InvalidValueError, match="other than gradients"):
        parse(message)


def test_texts_obey_nobody_and_are_the_same_from_run_to_run():
    assert clean_text("a\x1b[31mb\r\nc\u202ed") == "a�[31mb�\nc�d"
    assert clean_text("<Net object at 0x7f12ab34cd56>") == "<Net object at 0x…>"
    assert clean_text("\ud800") == "?"
    assert len(clean_text("x" * 10_000)) == 1000
    assert notes({"notes": ["one"] * 100}) == ("one",) * 10
