"""``backprop-nb site``: what it says when it cannot, and what it passes on."""

import importlib.util
import sys
from pathlib import Path

import pytest

from backprop_nb.__main__ import DONE, INCOMPLETE, WRONG_USE, main
from backprop_nb.course.site import build
from backprop_nb.course.site.build import Built


@pytest.fixture
def asked(monkeypatch):
    """What was to be built; nothing is."""
    calls, doubts = [], []

    def stand_in(out, *, tell, **options):
        tell("a.ipynb has run.")
        calls.append((out, options))
        return Built(out, ["index.html", "a.html"], 1, doubts)

    monkeypatch.setattr(build, "build", stand_in)
    return calls, doubts


def test_the_options_reach_the_build_and_the_site_is_named(asked, capsys):
    calls, _ = asked
    address = "https://example.org/course"
    assert main(["site", "out", "--notebooks", "own", "--title", "T", "--address", address]) == DONE
    own = {"notebooks": Path("own"), "title": "T", "address": address}
    assert calls == [(Path("out"), own)]
    said = capsys.readouterr()
    assert said.out == f"2 pages with 1 view, 0.0 MB: open {Path('out/index.html')}\n"
    assert said.err == "a.ipynb has run.\n"
    assert main(["site", "out"]) == DONE
    assert calls[1][1]["notebooks"] is None


def test_what_is_in_doubt_is_said_and_in_the_exit_code(asked, capsys):
    asked[1].append("a.ipynb: nothing is at b, to which it links.")
    assert main(["site", "out"]) == INCOMPLETE
    assert "nothing is at b" in capsys.readouterr().out


def test_an_address_that_is_not_whole_is_refused_with_the_one_that_is(asked, capsys):
    assert main(["site", "out", "--address", "example.org"]) == WRONG_USE
    assert "instead:  https://example.org" in capsys.readouterr().err
    assert asked[0] == []


@pytest.mark.parametrize(
    ("missing", "options", "said"),
    [
        (["nbconvert", "ipykernel"], [], "The site needs nbconvert and ipykernel,"),
        (["ipykernel"], ["--notebooks", "own"], "The site needs ipykernel,"),
    ],
)
def test_without_what_it_needs_it_says_what_to_install(
    asked, monkeypatch, capsys, missing, options, said
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in missing else find(name)
    )
    assert main(["site", "out", *options]) == WRONG_USE
    told = capsys.readouterr().err
    assert said in told
    assert sys.executable in told
    assert 'pip install "backprop-nb[lab]"' in told
