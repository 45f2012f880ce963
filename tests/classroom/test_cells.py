"""What was defined is asked, whatever happens in other statements; and what happened is said."""

import pytest

from backprop_nb.checking.convention import Course
from backprop_nb.classroom.host import ask
from backprop_nb.classroom.limits import Limits

QUICK = Limits(timeout=0.3, memory=1024)


def asked(*sources, file="hw.ipynb", limits=QUICK):
    names = [f"cell {k}" if file.endswith(".ipynb") else file for k in range(1, len(sources) + 1)]
    cells = list(zip(names, sources, strict=True))
    return ask(cells, "backward", Course(), limits, file=file)


def is_right(reply):
    return reply.outcome == "answered" and not reply.answers.answers[0].failure


ENDLESS = [
    ("while True: pass", "did not come to an end within 0.3 seconds (line 1), and was stopped"),
    ("x = 0\nwhile True:\n    try:\n        x += 1\n    except Exception: pass", "0.3 seconds"),
    ("x = 0\nwhile True:\n    try:\n        x += 1\n    except: pass", "0.3 seconds"),
    ("import time\ntime.sleep(60)", "(line 2), and was stopped there"),
    ("import itertools\nsum(itertools.repeat(1))", "(line 2), and was run again without that"),
    ("import threading\nthreading.Event().wait()", "(line 2), and was stopped there"),
    ("def train():\n    while True: pass\ntrain()", "(line 2), and was stopped there"),
    ("%%time\nx = 1\nwhile x: pass", "(line 3), and was stopped there"),
    ("%time sum(1 for _ in iter(int, 1))", "(line 1), and was stopped there"),
    ("%%capture\n%%time\nwhile True: pass", "(line 3), and was stopped there"),
]


@pytest.mark.parametrize(("loop", "words"), ENDLESS)
def test_what_does_not_end_costs_nothing_that_is_defined(loop, words, right):
    after = asked(right, loop)
    assert is_right(after)
    (note,) = after.notes
    assert note.startswith("cell 2 did not come to an end within 0.3 seconds")
    assert words in note


def test_a_loop_in_a_file_costs_nothing_of_it(right):
    reply = asked(f"{right}\nwhile True: pass", file="hw.py")
    assert is_right(reply)
    line = right.count("\n") + 2
    assert reply.notes == (
        f"hw.py did not come to an end within 0.3 seconds (line {line}), and was stopped there",
    )


def test_a_mark_of_a_cell_in_a_text_is_none(right):
    reply = asked(f"text = '''\n# %%\n%%time\n'''\n{right}", file="hw.py")
    assert is_right(reply)
    assert reply.notes == ()


ENDING = [
    ("import os\nos._exit(0)", "cell 2 ended its own process, with exit code 0 (line 2)"),
    ("import ctypes\nctypes.string_at(0)", "cell 2 had its process ended by the signal SIGSEGV"),
    ("import os\nos.abort()", "the signal SIGABRT (line 2), and was run again without that"),
    ("import sys; sys.exit()", "cell 2 raised SystemExit (line 1)"),
    ("quit()", "cell 2 raised SystemExit"),
    ("input('a number: ')", "cell 2 raised EOFError: EOF when reading a line (line 1)"),
    ("x = 1\nraise KeyboardInterrupt", "cell 2 raised KeyboardInterrupt (line 2)"),
    ("1 / 0\nx = 1\ny = z", "division by zero (line 1); after that, line 3 raised errors too"),
    ("open('nowhere.csv')", "FileNotFoundError"),
    ("def f(:", "cell 2 raised SyntaxError: invalid syntax (line 1)"),
    ("%matplotlib inline\n\nx = = 1", "cell 2 raised SyntaxError: invalid syntax (line 3)"),
    ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' (line 1)"),
    ("x = bytearray(1 << 40)", "cell 2 raised MemoryError (line 1)"),
    ("x = '\\0'\ny = '\0'", "null bytes"),
    ("x = '\udce9'", "cell 2 raised"),
]


@pytest.mark.parametrize(("source", "words"), ENDING)
def test_what_fails_costs_nothing_that_is_defined(source, words, right):
    reply = asked(right, source)
    assert is_right(reply)
    (note,) = reply.notes
    assert words in note
    assert note.startswith("cell 2 ")


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.mkdir('a')\nos.chdir('a')",
        "import os, shutil\nshutil.rmtree(os.getcwd())",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
        "import threading\nthreading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()",
        "import warnings\nwarnings.simplefilter('error')\nwarnings.filterwarnings('error')",
        "import numpy as np\nnp.seterr(all='raise')",
        "for _ in range(20): print('x' * 1_000_000)",
        "import sys\nsys.stdout = sys.stderr = None",
        "import sys\nsys.stdout.close()",
        "import gc\ngc.disable()",
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)",
        "exit",
        "exit()",  # a kernel ends once it has run the cells that wait, as "Run All" has them
        "import sys\nsys.exit()",  # there an error as any other
        "from google.colab import drive",
        "print = 3",
        "sum = max = list = dict = None",
    ],
)
def test_what_a_cell_changes_costs_nothing_that_is_defined(source, right):
    assert is_right(asked(source, right, limits=Limits(timeout=1.0, memory=1024)))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("while True: pass", "(line 1), and was stopped there"),
        ("data = open('nowhere.csv')", "'nowhere.csv' (line 1)"),
    ],
)
def test_the_rest_of_a_cell_gets_its_chance(before, words, right):
    reply = asked(f"{before}\n{right}")
    assert is_right(reply)
    (note,) = reply.notes
    assert note.endswith(words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("while True: pass", "within 0.3 seconds (cell 1, line 2)."),
        ("sum(iter(int, 1))", "did not come to an end within 0.3 seconds."),
        ("return helper()\ndef helper():\n    while True: pass", "seconds (cell 1, line 4)."),
    ],
)
def test_a_function_that_does_not_end_is_told_with_its_line(body, words):
    reply = asked(f"def backward(A, b, x, y):\n    {body}")
    assert reply.outcome == "too slow"
    assert words in reply.problem


def taken(seconds):
    """Return a cell after which so many seconds of the processor count as taken."""
    return f"import time\ntime.process_time = lambda: {seconds}"


def test_many_loops_leave_time_for_what_is_below_them(right):
    reply = asked(taken(30), "while True: pass", right, limits=Limits(timeout=10.0))
    assert is_right(reply)
    assert reply.notes == (
        "cell 2 did not come to an end within 0.5 seconds (line 1), and was stopped there",
    )


def test_what_is_never_reached_is_told():
    reply = asked("while True: pass", taken(40), "x = 1")
    assert reply.outcome == "too slow"
    assert "cell 1 did not come to an end" in reply.problem
    assert reply.notes == (
        "cell 3 was not run to its end, as everything before had taken 0.9 seconds",
    )


def test_who_survives_only_without_many_statements_is_given_up(right):
    reply = asked(*["import os; os._exit(3)"] * 9, right)
    assert (reply.outcome, reply.problem) == (
        "ended",
        "It ended its own process, with exit code 3.",
    )
    assert len(reply.notes) == 3


def test_closed_descriptors_are_told_and_no_exit_code_is():
    reply = asked("import os\nos.closerange(3, 256)\ndef backward(A, b, x, y): pass")
    assert reply.outcome == "ended"
    assert "could not send its answers: it has closed" in reply.problem
