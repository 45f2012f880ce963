"""The zip for Gradescope run as its harness does, and the recipes for the other systems."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from backprop_nb.__main__ import DONE, WRONG_USE, main
from backprop_nb.classroom.autograder import NEEDS

ROOT = Path(__file__).parent.parent.parent
RECIPES = (ROOT / "notebooks/assignment/platforms.md").read_text(encoding="utf-8")
HALF = ("np.outer(delta, f[i])", "np.outer(delta, f[i]) * (i + 1)")


def recipe(title, language):
    """Return the first block of code below a heading."""
    section = RECIPES.split(f"### {title}\n")[1].split("\n### ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]


def run(command, folder, **environment):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=120
    ).stdout


@pytest.fixture
def harness(tmp_path):
    """A folder in which the zip has been set up as in the image."""
    course = tmp_path / "assignment.py"
    course.write_text("bp.check_backward(backward, widths=(3, 4, 2), layers=2)")
    archive, root = tmp_path / "autograder.zip", tmp_path / "autograder"
    words = ["--autograder", str(archive), "--course", str(course), "--points", "6"]
    assert main(["grade", *words, "--names", "('W{i}', 'b{i}')"]) == DONE
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(root / "source")
        modes = {each.filename: each.external_attr >> 16 for each in packed.infolist()}
    assert modes["setup.sh"] & modes["run_autograder"] & 0o111
    assert archive.stat().st_size < 3_000_000
    run(["bash", "source/setup.sh"], root, AUTOGRADER_ROOT=str(root), PYTHONPATH="")
    shutil.copy(root / "source/run_autograder", root)
    return root


def test_gradescopes_harness_gets_results(harness, right):
    """As it runs: setup.sh once, the submission in its folder, then run_autograder."""
    submission = harness / "submission"
    for code, score in ((right, 6), (right.replace(*HALF), 4.5), ("x =", 0)):
        shutil.rmtree(submission, ignore_errors=True)
        submission.mkdir()
        cell = {"cell_type": "code", "source": code}
        (submission / "hw.ipynb").write_text(json.dumps({"cells": [cell]}))
        run(["bash", "run_autograder"], harness, AUTOGRADER_ROOT=str(harness), PYTHONPATH="")
        results = json.loads((harness / "results/results.json").read_text())
        assert results["score"] == pytest.approx(score)
        assert results["tests"]


def test_what_it_installs_is_what_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*NEEDS[:2]} <= {*project["dependencies"]}
    assert NEEDS[2].startswith("ipython")  # which ipywidgets brings with it


def test_grading_needs_nothing_else():
    code = (
        "import sys; from backprop_nb.__main__ import main\n"
        "main(['grade', sys.argv[1], '--format', 'vpl'])\n"
        "print(sorted({each.partition('.')[0] for each in sys.modules if 'site-packages' in "
        "(getattr(sys.modules[each], '__file__', '') or '')}))"
    )
    said = run([sys.executable, "-c", code, str(ROOT / "tests/classroom/conftest.py")], ROOT)
    assert set(re.findall(r"'(\w+)'", said.splitlines()[-1])) <= {
        "numpy",
        "tqdm",
        "_distutils_hack",
    }


def test_coderunners_template_prints_what_it_reads(tmp_path, right):
    answer = right.replace(*HALF) + '\nWORDS = """\\n"""\n'
    escaped = answer.replace("\\", "\\\\").replace('"', '\\"')
    template = recipe("CodeRunner", "python").replace("{{ STUDENT_ANSWER | e('py') }}", escaped)
    data = json.loads(run([sys.executable, "-c", template], tmp_path))
    assert data["fraction"] == pytest.approx(4 / 6)
    assert len(data["testresults"]) == 7


def test_vpls_script_prints_a_grade(tmp_path, right):
    (tmp_path / "my homework.py").write_text(right.replace(*HALF))
    (tmp_path / "vpl_environment.sh").write_text(
        'export VPL_SUBFILE0="my homework.py" VPL_GRADEMAX=9\n'
    )
    run(["bash", "-c", recipe("VPL", "bash")], tmp_path)
    assert run(["./vpl_execution"], tmp_path).splitlines()[-1] == "Grade :=>>6.00"


def test_github_classrooms_tests_give_a_point_a_gradient(tmp_path, right):
    (tmp_path / "homework.py").write_text(right.replace(*HALF))
    (tmp_path / "test_homework.py").write_text(recipe("GitHub Classroom", "python"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header"]
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(command, tmp_path)
    assert "2 failed, 5 passed" in caught.value.stdout


def test_prairielearns_entrypoint_is_a_command_that_works(tmp_path, right, monkeypatch):
    options = json.loads(recipe("PrairieLearn", "json"))["externalGradingOptions"]
    program, *words = options["entrypoint"]
    assert program == "backprop-nb"
    (tmp_path / "student").mkdir()
    (tmp_path / "student/hw.py").write_text(right)
    assert main([each.replace("/grade", str(tmp_path)) for each in words]) == DONE
    assert json.loads((tmp_path / "results/results.json").read_text())["score"] == 1


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ([], "SUBMISSIONS is missing"),
        (["in"], "--out is missing"),
        (["in", "--format", "vpl", "--roster", "x.csv"], "--roster is for a class"),
        (["in", "--autograder", "x.zip"], "goes without SUBMISSIONS"),
        (["--autograder", "x.zip", "--workers", "2"], "--workers is for a class"),
        (["--autograder", "x.zip", "--layers", "99"], "`layers` must be at most 20"),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path, monkeypatch, capsys, words, answer):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    assert main(["grade", *words]) == WRONG_USE
    assert answer in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == [tmp_path / "in"]
