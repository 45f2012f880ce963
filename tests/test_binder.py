"""What Binder would build, checked without building it, and its steps, played one by one."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from nonempty import nonempty
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pins import interpreter, main, version

ROOT = Path(__file__).parent.parent
BINDER = ROOT / "binder"


def pins() -> dict[str, Requirement]:
    """Every requirement of ``binder/requirements.txt`` by its normalised name."""
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def declared() -> list[Requirement]:
    """The dependencies that a visitor's environment needs: the core's and the lab's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(map(Requirement, project["dependencies"] + project["optional-dependencies"]["lab"]))


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory) -> str:
    """The Dockerfile that repo2docker writes for this repository; no Docker engine is asked."""
    checkout = tmp_path_factory.mktemp("binder") / "checkout"
    checkout.mkdir()
    shutil.copytree(BINDER, checkout / "binder")
    shutil.copy(ROOT / "pyproject.toml", checkout)
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--no-run", "."],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "step",
    [
        "environment-2epy-2d3-2e13",  # environment.py-3.13…lock, as the Dockerfile spells it
        'pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
    ],
    ids=["python 3.13", "requirements", "postBuild"],
)
def test_binder_builds_the_python_the_requirements_and_the_package(dockerfile, step):
    assert step in dockerfile


def test_requirements_are_installed_before_the_repository_is_copied(dockerfile):
    # Only then does Binder reuse the layer when a commit changes no requirement.
    install = dockerfile.index("pip install --no-cache-dir -r")
    assert install < dockerfile.index("COPY --chown=0:0 src/ ")


def test_every_requirement_is_one_exact_version():
    for name, requirement in nonempty(pins().items()):
        [specifier] = requirement.specifier
        assert specifier.operator == "==", name
        assert "*" not in specifier.version, name


def test_every_dependency_is_pinned_at_a_version_it_allows():
    pinned = pins()
    for requirement in nonempty(declared()):
        [specifier] = pinned[canonicalize_name(requirement.name)].specifier
        assert requirement.specifier.contains(specifier.version), requirement


def test_post_build_stops_at_the_first_failure_and_installs_only_the_package():
    post_build = BINDER / "postBuild"
    lines = post_build.read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", "pip install --no-cache-dir --no-deps ."]
    assert post_build.stat().st_mode & 0o111, "postBuild must be executable"


def test_the_python_that_renews_the_pins_is_the_one_that_binder_is_asked_for(monkeypatch, tmp_path):
    for name in (f"{version()}.4", f"{version()}.12", "3.9.1"):
        (tmp_path / "versions" / name / "bin").mkdir(parents=True)
        (tmp_path / "versions" / name / "bin/python").touch()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter(version()) == str(tmp_path / "versions" / f"{version()}.12" / "bin/python")


def test_without_that_python_the_pins_stay_and_it_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    before = (BINDER / "requirements.txt").read_bytes()
    with pytest.raises(SystemExit, match=f"Python {re.escape(version())} is not on the PATH"):
        main()
    assert (BINDER / "requirements.txt").read_bytes() == before


# --- the steps ------------------------------------------------------------------

LESSONS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/[0-9]*.ipynb"))
MOST = 250  # MB for a kernel, of the one or two GB that Binder gives a visitor


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    """A function that runs a command as Binder does, once its steps are done."""
    python = interpreter(version())
    if python is None:
        pytest.skip(f"there is no Python {version()}, which Binder is asked for")
    checkout, place = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("env")
    for name in ("binder", "backprop_nb", "notebooks"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns(".*", "__py*"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    environment = os.environ | {"PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)

    def run(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and re.search("connection|resolution", done.stderr):
            pytest.skip("the package registry cannot be reached")
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(python, "-m", "venv", str(place))
    run("pip", "install", "--quiet", "-r", "binder/requirements.txt")
    run("binder/postBuild")
    return run


@pytest.mark.slow
def test_every_lesson_runs_at_binder_and_leaves_room_for_others(visitor):
    said = visitor("python", str(ROOT / "tests/benchmarks/memory.py"), *LESSONS)
    sizes = {name: int(size) for size, name in re.findall(r"(\d+) MB  (\S+)", said)}
    assert sorted(f"notebooks/{name}" for name in sizes) == LESSONS
    assert max(sizes.values()) <= MOST, said


@pytest.mark.slow
def test_the_pins_fit_together(visitor):
    assert "No broken requirements" in visitor("pip", "check")
