"""Hostile and broken submissions: each ends alone, soon, and with a text that says what it was."""

import itertools
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from backprop_nb.checking.convention import Course
from backprop_nb.checking.isolation import run_isolated
from backprop_nb.checking.limits import OutOfTime
from backprop_nb.classroom import host, limits, supervisor
from backprop_nb.classroom.host import ask
from backprop_nb.classroom.limits import Limits
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.verdict import examine, make_settings

QUICK = Limits(timeout=1.0, memory=1024)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


def asked(*sources):
    cells = [(f"cell {k}", source) for k, source in enumerate(sources, 1)]
    return ask(cells, "backward", Course(), QUICK)


def result(*sources, **options):
    cells = [(f"cell {k}", source) for k, source in enumerate(sources, 1)]
    submission = Submission("a.py", "digest", tuple(cells))
    return examine(submission, make_settings(timeout=1.0, **options))


# --- what is right stays right ---------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        "print('x' * 10_000_000)",
        "import numpy as np\nnp.allclose = np.array_equal = lambda *_, **__: True",
        "import os\nos.write(1, b'hello'); os.write(2, b'hello'); os.close(0)",
        "stream = open('large', 'wb')\nfor _ in range(200): stream.write(bytes(1 << 20))",
        "import backprop_nb.checking.report as r\nr.Report.score = property(lambda self: 1.0)",
        "for k in range(9): open(str(k), 'wb').write(bytes(1 << 20))",
    ],
)
def test_what_stands_in_a_cell_of_its_own_costs_nothing_else(before, right):
    answer = asked(before, right)
    assert answer.outcome == "answered", answer.problem
    assert result(before, right)["score"] == 1.0


@pytest.mark.parametrize(
    "line",
    [
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "get_ipython().x = 1",
        "if 'IPKernelApp' in get_ipython().config: get_ipython().kernel.do_shutdown(True)",
        "for line in get_ipython().getoutput('ls'): print(line)",
        "display(1)",
        "display({'text/plain': '1'}, raw=True, metadata={}, display_id='one')",
        "display('a', display_id=True).update('b')",
        "print(display, get_ipython())",
    ],
)
def test_a_script_made_from_a_notebook_may_ask_for_ipython(line, right):
    answer = asked(f"{line}\n{right}")
    assert answer.outcome == "answered"
    assert answer.notes == ()


def test_what_a_function_displays_is_shown_like_what_it_prints(right):
    showing = right.replace("    f = [x]", "    display('in', 'here', raw=True)\n    f = [x]")
    graded = result("display(1)", showing)
    assert graded["score"] == 1.0
    assert "It printed:\n  in here\n" in graded["text"]
    assert graded["notes"] == []


def test_the_cells_share_their_names_like_those_of_a_notebook(right):
    head, body = right.split("def backward")
    assert asked(head, f"def backward{body}").outcome == "answered"


# --- what is wrong stays wrong -----------------------------------------------------------

EQUALS_ALL = """
class Yes:
    __hash__ = None
    def __eq__(self, other): return True
    def __iter__(self): return iter([self, self])
    def __len__(self): return 2
    def __getitem__(self, key): return self
    def __array__(self, *_, **__): return self

def backward(A, b, x, y):
    return Yes(), Yes()
"""

PATCHED = """
import numpy as np
import backprop_nb as bp
from backprop_nb.checking import compare, diagnosis, report
np.allclose = np.array_equal = lambda *_, **__: True
np.abs = lambda x: x * 0
report.Report.ok = report.Report.score = 1.0
report.Checked.ok = True
diagnosis.judge = bp.check_backward = lambda *_, **__: None
"""

FORGED = """
import os
for fd in range(3, 64):
    try:
        os.write(fd, {data})
    except OSError:
        pass
"""


def test_nothing_that_a_submission_patches_reaches_its_judge(sign_flipped):
    graded = result(PATCHED, sign_flipped)
    assert graded["score"] == 0.0
    assert graded["findings"][0]["mistake"] == "sign_flipped"


def test_objects_that_equal_everything_are_no_gradients():
    graded = result(EQUALS_ALL)
    assert graded["outcome"] == "answered"
    assert graded["score"] == 0.0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("(5).to_bytes(8) + b'hello'", "no JSON"),
        ("b'\\xff' * 8", "far more than gradients"),
        ("(2).to_bytes(8) + b'{}'", "NoneType in place of list"),
    ],
)
def test_a_forged_answer_is_refused(data, words, right):
    answer = asked(FORGED.format(data=data), right)
    assert answer.outcome == "ended"
    assert words in answer.problem


@pytest.mark.parametrize(
    ("source", "outcome", "words"),
    [
        ("while True: pass", "too slow", "within 1 second (line 1)"),
        ("import os; os._exit(0)", "ended", "exit code 0"),
        ("import ctypes; ctypes.string_at(0)", "ended", "SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended", "SIGKILL"),
        ("import os; os.killpg(0, 9)", "ended", "SIGKILL"),
        ("import os; os.kill(os.getppid(), 9); __import__('time').sleep(9)", "ended", "watched"),
        ("x = 1", "no function", "does not define `backward`"),
        (
            "class Net:\n    def backward(self, x): return x",
            "no function",
            "`backward` is a method of Net. A function of that name",
        ),
        ("backward = 3", "no function", "`backward` is not a function"),
        ("def back_ward(A, b, x, y): pass", "no function", "Rename back_ward to `backward`."),
        ("from numpy import dot\ndef f(): pass", "no function", "It defines f."),
        ("def back_ward(A, b, x, y): pass\n1 / 0", "no function", "Rename back_ward to `backward`"),
        ("def f(): pass\n1 / 0", "stopped", "division by zero"),
        ("def backward(A, b, x, y) pass", "stopped", "SyntaxError: expected ':' (line 1). It does"),
    ],
)
def test_what_gives_no_answer_says_why_and_harms_no_other(source, outcome, words, right):
    answer = asked(source)
    assert answer.outcome == outcome
    assert words in answer.problem
    assert asked(right).outcome == "answered"


def test_what_is_another_function_is_not_to_be_renamed():
    forward = "def forward(x): pass\ndef check_forward(x): pass"
    missing = asked(forward)
    assert missing.outcome == "no function"
    assert missing.problem == "It does not define `backward`. It defines forward, check_forward."
    stopped = asked(f"{forward}\ndef backward_(x): pass", "def backward(A, b, x, y)\n    pass")
    assert stopped.outcome == "stopped"
    assert "cell 2 raised SyntaxError: expected ':'" in stopped.problem
    assert "Rename" not in stopped.problem


def test_a_process_ends_though_its_submission_forbids_it(right):
    """Or it would go on as its own watcher, and clear away the place of the next one."""
    for _ in range(2):
        assert asked("import os\nos._exit = lambda *_: None", right).outcome == "answered"


def test_a_machine_without_room_is_no_fault_of_a_submission(right):
    asked(right)
    shutil.rmtree(host._idle[-1].folder)
    with pytest.raises(OSError, match="No such file"):
        asked(right)
    assert asked(right).outcome == "answered"


def test_who_is_there_when_the_watcher_dies_gets_a_second_chance(right, tmp_path):
    """The system may have killed it for want of memory."""
    note = tmp_path / "note"
    dies_once = (
        f"import os, time\nif not os.path.exists({str(note)!r}):\n"
        f"    open({str(note)!r}, 'w').close()\n    os.kill(os.getppid(), 9)\n    time.sleep(9)\n"
    )
    assert asked(dies_once, right).outcome == "answered"


def test_who_stops_the_watcher_is_asked_like_anybody_else(right):
    stops = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)"
    assert asked(stops, right).outcome == "answered"
    assert asked(f"{stops}\nwhile True: pass").outcome == "too slow"


@pytest.mark.parametrize(("step", "is_stopped"), [(0.0, True), (0.03, False), (0.5, True)])
def test_only_who_computes_and_gets_too_little_has_more_time(monkeypatch, step, is_stopped):
    clock = itertools.count(step=step)
    monkeypatch.setattr(limits, "_LEAST_WAIT", 0.01)
    monkeypatch.setattr(limits, "time", SimpleNamespace(process_time=lambda: next(clock)))

    def waits():
        reading, _ = os.pipe()
        try:
            with limits.time_limit(0.1, QUICK):
                select.select([reading], [], [], 1.0)
        except OutOfTime:
            return True
        return False

    assert run_isolated(waits) == is_stopped  # as its process gets the limits


@linux
def test_the_watcher_counts_the_seconds_of_the_processor():
    before = supervisor._seconds_of(os.getpid())
    assert before == pytest.approx(time.process_time(), abs=0.5)


def test_the_verdict_on_what_gives_no_answer_names_the_parameter_and_scores_0():
    graded = result("while True: pass")
    assert graded["score"] == 0.0
    (finding,) = graded["findings"]
    assert finding["mistake"] == "raised_exception"
    assert finding["message"] == (
        "cell 1 did not come to an end within 1 second (line 1), and was stopped there. "
        "It does not define `backward`."
    )
    head, text = graded["text"].split("\n\n")
    assert head == "backward: no gradients to check."
    assert " ".join(text.split()) == finding["message"]
    assert "(line 1), and was stopped there.<" in graded["html"]
    assert not graded["ok"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return backward(A, b, x, y)", "RecursionError"),
        ("return bytearray(1 << 40)", "MemoryError"),
        ("import sys; sys.exit(1)", "SystemExit"),
        ("input()", "EOFError"),
    ],
)
def test_what_the_function_raises_is_in_the_report(body, words):
    graded = result(f"def backward(A, b, x, y):\n    {body}")
    assert graded["findings"][0]["mistake"] == "raised_exception"
    assert words in graded["text"]
    assert graded["line"]["number"] == 2


HOARDS = """
kept, size = [], 1 << 28
def backward(A, b, x, y): pass
while size > 8:
    try:
        kept.append(bytes(size))
    except MemoryError:
        size //= 2
"""


@pytest.mark.parametrize("value", ["1e308", "-np.inf", "np.nan", "5e-324", "np.float16(6e4)"])
def test_extreme_numbers_are_judged_like_any_others(value):
    graded = result(
        "import numpy as np\ndef backward(A, b, x, y):\n"
        f"    return [{value} * (a * 0 + 1) for a in A], [{value} * (c * 0 + 1) for c in b]"
    )
    assert graded["outcome"] == "answered"
    assert graded["score"] == 0.0


def test_memory_that_does_not_suffice_for_an_answer_is_told():
    assert asked("x = [0] * (1 << 28)").problem.startswith("cell 1 raised MemoryError (line 1).")
    answer = asked(HOARDS)
    assert answer.outcome == "ended"
    assert answer.problem == "It ran out of its 1024 MB of memory."


# --- nothing is left behind -------------------------------------------------------------------

ESCAPES = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({path!r}, "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not os.path.exists({path!r}) or not os.path.getsize({path!r}):
    time.sleep(0.01)
"""


@linux
def test_what_a_submission_has_started_ends_with_it_wherever_it_went(tmp_path, right):
    path = tmp_path / "pid"
    assert asked(ESCAPES.format(path=str(path)), right).outcome == "answered"
    assert not Path(f"/proc/{path.read_text()}").exists()


def test_twenty_children_end_with_the_submission(right):
    forks = "import os, time\nfor _ in range(20):\n    if os.fork() == 0: time.sleep(600)"
    start = time.monotonic()
    assert asked(forks, right).outcome == "answered"
    assert time.monotonic() - start < 300


def test_its_folder_is_empty_at_first_and_gone_afterwards(tmp_path, right):
    note = tmp_path / "note"
    look = f"import os\nopen({str(note)!r}, 'w').write(os.getcwd() + str(os.listdir()))"
    asked(look, "open('left', 'w').write('x')", right)
    folder, _, listed = note.read_text().partition("[")
    assert listed == "]"
    assert not Path(folder).exists()


def test_what_a_submission_leaves_in_its_folder_is_not_found_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(supervisor, "_folder", None)
    for name in ("HOME", "TMPDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "")
    first = supervisor._new_folder()
    supervisor._remove(first)
    assert supervisor._new_folder() == first  # what is told of it once stays true
    (first / "left").touch()  # as if it could not be removed
    second = supervisor._new_folder()
    assert second != first
    assert not [*second.iterdir()]
    assert os.environ["HOME"] == os.environ["TMPDIR"] == tempfile.gettempdir() == str(second)


def test_folders_that_nobody_may_look_into_are_removed_too(right, tmp_path):
    """Links stay links: what they lead to keeps its mode."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o750)
    build = "import os\nos.makedirs('a/b/c')\nopen('a/b/c/x', 'w').close()\n"
    build += f"os.symlink({str(outside)!r}, 'a/link')\nopen({str(tmp_path / 'note')!r}, 'w').write("
    build += "os.getcwd())\nos.chmod('a/b/c', 0)\nos.chmod('a/b', 0)"
    assert asked(build, right).outcome == "answered"
    assert not Path((tmp_path / "note").read_text()).exists()
    assert outside.stat().st_mode & 0o777 == 0o750


@linux
def test_the_threads_of_a_user_are_counted():
    before = limits._threads_of_this_user()
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(400)]
    for each in threads:
        each.start()
    counted = limits._threads_of_this_user()
    stop.set()
    for each in threads:
        each.join()
    assert counted - before > 100  # a browser of another test may end meanwhile


def test_the_graders_environment_is_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    note = tmp_path / "note"
    asked(f"import os\nopen({str(note)!r}, 'w').write(repr(dict(os.environ)))")
    assert "SECRET_TOKEN" not in note.read_text()


@linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_nobody_looks_into_who_grades():
    """As another process of the same user: nothing is closed to root."""
    grader_code = (
        "import ctypes, os, sys\nfrom backprop_nb.classroom.limits import hidden_memory\n"
        "os.setuid(65534)\nctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n"
        "with hidden_memory():\n    print(1, flush=True)\n    sys.stdin.readline()\n"
        "print(2, flush=True)\nsys.stdin.readline()\n"
    )
    looking_code = (
        "import os, sys\nos.setuid(65534)\n"
        "try: print(bool(open(f'/proc/{sys.argv[1]}/environ', 'rb').read()))\n"
        "except PermissionError: print('closed')\n"
    )
    seen = []
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", grader_code], **pipes) as grader:
        for _ in range(2):
            assert grader.stdout.readline()
            looking = [sys.executable, "-c", looking_code, str(grader.pid)]
            seen.append(subprocess.run(looking, capture_output=True, text=True).stdout.strip())
            grader.stdin.write("\n")
            grader.stdin.flush()
    assert seen == ["closed", "True"]


@linux
def test_when_the_grader_is_killed_everything_it_has_started_ends(tmp_path):
    path = tmp_path / "pids"
    source = (
        f"import os, time\nopen({str(path)!r}, 'w').write(f'{{os.getppid()}} {{os.getpid()}} ')"
    )
    code = (
        "from backprop_nb.classroom.host import ask\n"
        "from backprop_nb.classroom.limits import Limits\n"
        "from backprop_nb.checking.convention import Course\n"
        f"ask([('a', {source + '; time.sleep(60)'!r})], 'f', Course(), Limits(60.0, 1024))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as grader:
        pids = wait_for(lambda: path.read_text().split() if path.exists() else [])
        grader.kill()
    assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def wait_for(condition):
    deadline = time.monotonic() + 300
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return value


def test_no_submission_can_stand_in_for_a_module(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit('not me')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert str(tmp_path) not in host._places()
    assert os.fspath(Path(host.backprop_nb.__file__).parent.parent) == host._places()[0]


def test_the_line_has_more_time_than_a_short_limit(sign_flipped):
    reply = ask([("cell 1", sign_flipped)], "backward", Course(), Limits(timeout=0.4), "plain")
    assert reply.line.line == 1 + sign_flipped[: sign_flipped.index("(y - f[-1])")].count("\n")
