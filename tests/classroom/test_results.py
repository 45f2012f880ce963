"""Results on disk: found again while they hold, and written where nothing can be in the way."""

import html
from dataclasses import replace

import pytest
from nonempty import nonempty

import backprop_nb
from backprop_nb.classroom.results import ResultStore, identity, seed_of
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.verdict import make_settings

ADA = Submission("ada/a1.py", "d1", (("a1.py", "x = 1"),))
RESULT = {
    "outcome": "answered",
    "score": 1.0,
    "text": "backward: right.",
    "html": "<p>backward: right.</p>",
}


@pytest.fixture
def results(tmp_path):
    return ResultStore(tmp_path, make_settings())


def test_a_result_is_found_again_and_its_feedback_lies_beside(results):
    assert results.load(ADA) is None
    saved = results.save(ADA, RESULT)
    assert results.load(ADA) == saved
    assert saved["submission"] == "ada/a1.py"
    text, page = results.feedback(ADA)
    assert text == results.folder / "feedback/ada/a1.py.txt"
    assert text.read_text(encoding="utf-8") == "ada/a1.py\n\nbackward: right.\n"
    assert page == results.folder / saved["feedback"]
    assert RESULT["html"] in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("which", [0, 1])
def test_a_result_whose_feedback_is_gone_is_none(results, which):
    results.save(ADA, RESULT)
    results.feedback(ADA)[which].unlink()
    assert results.load(ADA) is None


@pytest.mark.parametrize(
    "option",
    [
        {"samples": "rows"},
        {"reduction": "sum"},
        {"half": True},
        {"layers": 2},
        {"seed": 1},
        {"hints": "none"},
        {"function": "grad"},
        {"timeout": 5.0},
        {"memory": 512},
    ],
)
def test_it_holds_for_the_settings_it_was_found_with(results, option):
    results.save(ADA, RESULT)
    assert ResultStore(results.folder, make_settings(**option)).load(ADA) is None


def test_it_holds_for_the_content_and_the_version_it_was_found_with(results, monkeypatch):
    results.save(ADA, RESULT)
    assert results.load(replace(ADA, digest="d2")) is None
    monkeypatch.setattr(backprop_nb, "__version__", "9.9")
    assert results.load(ADA) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 3}', b"\xff"])
def test_a_spoilt_file_is_no_result(results, content):
    results.save(ADA, RESULT)
    (path,) = (results.folder / "results").iterdir()
    path.write_bytes(content)
    assert results.load(ADA) is None


def test_a_result_that_somebody_has_changed_is_none(results):
    results.save(ADA, RESULT | {"score": 0.5})
    (path,) = (results.folder / "results").iterdir()
    path.write_text(path.read_text(encoding="utf-8").replace("0.5", "1.0"), encoding="utf-8")
    assert results.load(ADA) is None


@pytest.mark.parametrize(
    "names",
    [
        ("x.py", "x.py.txt/y.py"),
        ("x.py", "x.py.html/y.py"),
        ("é" * 120 + "a.py", "é" * 120 + "b.py"),
        ("<img src=x onerror=alert(1)>.py", "=cmd|'!A0.py"),
        ("a\nb.py", "a b.py"),
    ],
)
def test_no_name_is_in_the_way_of_another(results, names):
    for name in nonempty(names):
        results.save(replace(ADA, name=name), RESULT)
    for name in nonempty(names):
        submission = replace(ADA, name=name)
        assert results.load(submission)["submission"] == name
        text, page = results.feedback(submission)
        assert text.read_text(encoding="utf-8").startswith(name)
        assert f"<h1>Feedback on {html.escape(name)}</h1>" in page.read_text(encoding="utf-8")


def test_an_id_tells_neither_name_nor_place(results):
    ids = {identity(replace(ADA, name=f"s{k}.py")) for k in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 11 and each[0] == "s" for each in ids)
    assert identity(ADA) != identity(replace(ADA, digest="d2"))


def test_the_seed_of_a_class_is_made_once_from_all_that_is_handed_in(results, tmp_path):
    first = results.seed([ADA])
    assert first != seed_of([replace(ADA, digest="d2")])
    assert results.seed([replace(ADA, digest="d2")]) == first
    other = ResultStore(tmp_path / "other", make_settings())
    assert other.seed([ADA]) == first
