import ast
import sys
from collections import Counter
from traceback import walk_stack

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.checking.lines.program import Endless, Held, Turns, blocks, chosen, running, unseen

TABLE = {"scale": 3.0}
KEPT = np.array([1.0, 2.0])


def half(x):
    return x / 2


def student(x):
    total = 0.0
    while total < 3:
        total += half(x)
    return total * TABLE["scale"] + KEPT.sum()


def test_the_functions_that_ran_are_found_with_what_their_names_held():
    found = {block.code.co_name: block for block in blocks(student, [2.0])}
    assert list(found) == ["student", "half"]
    assert found["half"].functions == [half]
    assert any(names.get("x") == 2.0 for names in found["half"].seen.values())


def test_a_statement_runs_in_each_of_the_ways_it_is_written_in_and_then_as_before():
    block = blocks(half, [2.0])[0]
    [statement] = block.statements
    ways = [ast.parse(f"def f(x):\n    return {text}").body[0].body[0] for text in ("x * 5", "-x")]
    code = block.compiled({statement: ways}, {})
    answers = []
    for k in range(3):
        with running(block, chosen(code, k, Turns(9))):
            answers.append(half(4.0))
    assert answers == [2.0, 20.0, -4.0]
    assert half(4.0) == 2.0


def test_a_loop_that_would_not_end_is_stopped():
    block = next(each for each in blocks(student, [2.0]) if each.code.co_name == "student")
    loop = next(each for each in block.statements if isinstance(each, ast.While))
    code = block.compiled({loop.test: [ast.Constant(True, lineno=1, col_offset=0)]}, {})
    ended = False
    with running(block, chosen(code, 1, Turns(50))):
        try:
            student(2.0)
        except Endless:
            ended = True
    assert ended
    assert student(2.0) == 12.0


def test_what_is_no_python_has_no_code():
    block = blocks(half, [2.0])[0]
    [statement] = block.statements
    assert block.compiled({statement: [ast.Return(ast.Name("x", ast.Store()))]}, {}) is None


def test_what_a_run_changes_beside_its_arguments_is_put_back():
    held = Held(blocks(student, [2.0]))
    TABLE["scale"], TABLE["other"] = 0.0, 1.0
    KEPT[0] = 9.0
    held.release()
    assert TABLE == {"scale": 3.0}
    assert KEPT.tolist() == [1.0, 2.0]


def test_what_may_write_into_files_is_not_run_again():
    def writes(x):
        return x if x > 0 else np.save("never", x)

    assert blocks(writes, [1.0]) == []


def test_nothing_is_printed_and_random_numbers_go_on_as_if_nothing_had_run(capsys):
    np.random.seed(0)
    expected = np.random.rand()
    np.random.seed(0)
    with unseen():
        print(np.random.rand())
    assert np.random.rand() == expected
    assert capsys.readouterr().out == ""


def test_a_lambda_has_its_body_as_a_statement():
    twice = lambda x: 2 * x  # noqa: E731
    [block] = blocks(twice, [1.0])
    assert [ast.unparse(each) for each in nonempty(block.statements)] == ["2 * x"]


BIG = np.zeros(20_000)


def reads(x):
    return BIG[::2].sum() + BIG.sum() + x


TWICE, CUBED, SUMMED = lambda x: 2 * x, (lambda x: x**3), lambda x: np.sum(x)


@pytest.mark.parametrize(
    ("function", "text"), [(TWICE, "2 * x"), (CUBED, "x**3"), (SUMMED, "np.sum(x)")]
)
def test_of_lambdas_in_one_line_each_is_itself(function, text):
    [block] = blocks(function, [KEPT])
    [body] = block.statements
    assert block.source(body) == text
    code = block.compiled({body: [ast.parse("-x", mode="eval").body]}, {})
    with running(block, chosen(code, 1, Turns(9))):
        assert np.array_equal(function(KEPT), -KEPT)
    with running(block, chosen(code, 0, Turns(9))):
        assert np.array_equal(function(KEPT), eval(text, {"np": np, "x": KEPT}))


def test_nothing_is_written_into_a_large_array_meanwhile_and_something_is_afterwards():
    held = Held(blocks(reads, [1.0]))
    shut = BIG.flags.writeable
    held.release()
    assert (shut, BIG.flags.writeable) == (False, True)


def deeper(step):
    return step * KEPT


def test_no_line_is_written_that_calls_the_function_itself():
    depths = Counter()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_name == deeper.__name__:
            depths[[each.f_code.co_name for each, _ in walk_stack(frame)].count("deeper")] += 1

    sys.setprofile(note)
    try:
        report = bp.check_gradient(
            lambda step: 0.25 * np.sum(step**2), deeper, np.array([0.3, -0.2])
        )
    finally:
        sys.setprofile(None)
    assert not report.ok
    assert list(depths) == [1]
    assert depths[1] > 30  # it was run again, with other lines
