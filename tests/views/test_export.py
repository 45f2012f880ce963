"""Steps as files: an animation, a folder of figures, the pages of a PDF."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from every_view import VIEWS
from matplotlib import animation
from nonempty import nonempty
from PIL import Image

import backprop_nb as bp
from backprop_nb.views import export
from backprop_nb.views.paper import Drawing

STEPS = 4


@pytest.fixture(scope="module")
def explorer():
    return bp.trace(lambda x: x**2, 3.0).explore()


@pytest.fixture(scope="module")
def gif(explorer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gif")
    return explorer.animate(folder / "steps.gif", seconds_per_step=0.5, progress=False)


@pytest.fixture(scope="module")
def svgs(explorer, tmp_path_factory):
    return explorer.figures(tmp_path_factory.mktemp("svgs") / "steps", progress=False)


@pytest.fixture(scope="module")
def pdf(explorer, tmp_path_factory):
    return explorer.figures(tmp_path_factory.mktemp("pdf") / "steps.pdf", progress=False)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


# --- every view -----------------------------------------------------------------


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_tells_its_steps_or_says_that_it_has_none(name):
    story = VIEWS[name]()._story()
    if name == "SigmoidExplorer":
        assert story is None
        return
    assert all(step.words.strip() for step in nonempty(story.steps))
    assert len({step.number for step in story.steps}) == len(story.steps) > 1
    assert isinstance(story.draw(story.steps[1].number, "dark"), Drawing)
    assert len(story.alt) > 20


@pytest.mark.slow
def test_each_epoch_that_is_kept_has_its_own_picture(tmp_path):
    playground = VIEWS["Playground"]()
    story = playground._story()
    assert [step.number for step in story.steps] == playground.recorded
    files = [tmp_path / f"{step.number}.png" for step in (story.steps[0], story.steps[-1])]
    for file in files:
        story.draw(int(file.stem), "light").savefig(file, dpi=30)
    assert files[0].read_bytes() != files[1].read_bytes()
    with pytest.raises(bp.InvalidValueError, match="`epoch` must be an integer from 0 to 12"):
        playground.draw(epoch=13)


def test_what_has_no_steps_is_refused_with_what_it_has(tmp_path):
    untrained, one_line = bp.Playground(), bp.FindTheBug(course="rows")
    for view in (bp.SigmoidExplorer(), untrained, one_line):
        for write in (view.animate, view.figures):
            with pytest.raises(bp.UnsupportedError, match="has no steps") as caught:
                write(tmp_path / "steps.gif")
            assert "view.draw().savefig" in caught.value.instead
    assert names(tmp_path) == []


def test_a_folded_group_takes_one_step():
    def twice(x):
        return np.exp(np.sin(x))

    explorer = bp.trace(lambda x: twice(x) + 1, 0.5).explore()
    every = [step.number for step in explorer._story().steps]
    assert every == list(range(explorer.last_step + 1))
    explorer.folded = explorer.groups
    folded = [step.number for step in explorer._story().steps]
    assert len(folded) == len(every) - 2  # two nodes forward and back, as one each way
    assert {0, explorer.last_step} <= set(folded)


# --- an animation ---------------------------------------------------------------


def test_a_gif_has_a_frame_a_step_and_stays_at_its_end(gif):
    with Image.open(gif) as image:
        assert image.n_frames == STEPS
        lengths = []
        for frame in range(STEPS):
            image.seek(frame)
            lengths.append(image.info["duration"])
        assert lengths == [500, 500, 500, 1000]
        assert image.info["loop"] == 0


def test_its_words_stand_beside_it_and_in_it(gif, explorer):
    words = (gif.parent / "steps.gif.txt").read_text(encoding="utf-8").splitlines()
    assert names(gif.parent) == ["steps.gif", "steps.gif.txt"]
    assert words[:2] == [explorer.heading(), explorer.static_figure().alt]
    assert words[-1].startswith("4 of 4: Backward from v1")
    with Image.open(gif) as image:
        assert image.info["comment"].decode() == explorer.static_figure().alt


def test_each_frame_has_its_caption(gif):
    with Image.open(gif) as image:
        frames = []
        for frame in range(STEPS):
            image.seek(frame)
            frames.append(np.asarray(image.convert("L"), dtype=int))
    bottom = [frame[-60:] for frame in nonempty(frames)]
    assert all((strip < 128).any() for strip in bottom)
    assert len({strip.tobytes() for strip in bottom}) == STEPS


def test_captions_are_cut_where_there_is_no_room_and_have_as_many_lines_as_needed():
    def height(captions):
        stage = export._Stage([(900, 100), (300, 200)], captions, "light")
        return round(stage.figure.get_size_inches()[1] * export._DPI)

    short, long = height(["a", "b"]), height(["a", "word " * 30])
    assert 200 < short < long
    assert height(["word " * 300, "a"]) == height(["word " * 3000, "a"])


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
def test_an_mp4_lasts_as_long_as_its_steps(explorer, tmp_path):
    path = explorer.animate(tmp_path / "steps.mp4", seconds_per_step=0.5, progress=False)
    said = subprocess.run(["ffmpeg", "-i", path], capture_output=True, text=True).stderr
    minutes, seconds = re.search(r"Duration: 00:(\d\d):(\d\d\.\d\d)", said).groups()
    assert 60 * int(minutes) + float(seconds) == pytest.approx(0.5 * (STEPS + 1), abs=0.1)
    assert "h264" in said
    assert names(tmp_path) == ["steps.mp4", "steps.mp4.txt"]


def test_without_ffmpeg_an_mp4_says_what_to_do(explorer, tmp_path, monkeypatch):
    monkeypatch.setattr(animation.FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(bp.InvalidValueError, match="ffmpeg, which is not found") as caught:
        explorer.animate(tmp_path / "steps.mp4")
    assert "apt install ffmpeg" in caught.value.expected
    assert caught.value.instead.startswith("steps.gif")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("steps.webm", {}, "a GIF or an MP4"),
        ("steps", {}, "a GIF or an MP4"),
        ("steps.gif", {"seconds_per_step": 0}, "`seconds_per_step` must be"),
        ("steps.gif", {"seconds_per_step": "1"}, "`seconds_per_step` must be"),
        ("steps.gif", {"theme": "sepia"}, "`theme` must be"),
    ],
)
def test_an_animation_refuses_what_it_cannot_be(explorer, tmp_path, name, options, said):
    with pytest.raises(bp.InvalidValueError, match=said):
        explorer.animate(tmp_path / name, **options)
    assert names(tmp_path) == []


def test_a_gif_of_too_many_steps_is_refused_before_one_is_drawn(tmp_path):
    steps = [export.Step(k, "word") for k in range(501)]
    story = export.Story("t", "a", steps, lambda *_: pytest.fail("drawn"), 1.0)
    options = {"seconds": None, "theme": "light", "progress": False}
    with pytest.raises(bp.InvalidValueError, match="too large") as caught:
        export.write_animation(story, tmp_path / "steps.gif", **options)
    assert caught.value.given == "501 steps"


# --- figures --------------------------------------------------------------------


def test_a_folder_has_a_figure_a_step_and_the_words(svgs, gif):
    assert names(svgs) == [*(f"step-{k}.svg" for k in range(STEPS)), "steps.txt"]
    assert (svgs / "steps.txt").read_bytes() == gif.with_name("steps.gif.txt").read_bytes()


def test_texts_in_an_svg_are_texts_and_it_has_a_title(svgs):
    text = (svgs / "step-3.svg").read_text(encoding="utf-8")
    assert "gradient has passed</text>" in text
    assert "<title>Computation graph of &lt;lambda&gt;, step 3: Backward from v1" in text


@pytest.mark.slow
def test_the_same_view_gives_the_same_bytes(explorer, svgs, pdf, tmp_path):
    again = explorer.figures(tmp_path / "again", progress=False)
    assert names(again) == names(svgs)
    for each in nonempty(list(svgs.iterdir())):
        assert (again / each.name).read_bytes() == each.read_bytes()
    assert explorer.figures(tmp_path / "a.pdf", progress=False).read_bytes() == pdf.read_bytes()


def test_an_earlier_export_is_replaced_and_nothing_else(explorer, tmp_path):
    path = explorer.figures(tmp_path / "steps", progress=False)
    (path / "step-99.svg").write_text("of a longer export")
    assert explorer.figures(path, format="png", progress=False) == path
    assert names(path) == [*(f"step-{k}.png" for k in range(STEPS)), "steps.txt"]
    (path / "notes.tex").write_text("mine")
    before = names(path)
    with pytest.raises(bp.InvalidValueError, match="would be lost"):
        explorer.figures(path, progress=False)
    assert names(path) == before


def test_a_pdf_has_a_page_a_step_with_texts_that_can_be_edited(pdf):
    content = pdf.read_bytes()
    assert len(re.findall(rb"/Type /Page\b", content)) == STEPS
    assert b"/FontType 3" not in content
    assert not re.search(rb"/Subtype /Type3", content)
    assert b"/Subtype /CIDFontType2" in content
    assert names(pdf.parent) == ["steps.pdf", "steps.pdf.txt"]


@pytest.mark.parametrize(
    ("name", "options", "instead"),
    [
        ("steps.svg", {}, 'figures("steps", format="svg")'),
        ("steps.png", {}, 'figures("steps", format="png")'),
        ("steps.gif", {}, 'figures("steps", format="svg")'),
        ("steps", {"format": "jpg"}, None),
        ("steps", {"theme": "sepia"}, None),
        ("steps.pdf", {"theme": "sepia"}, None),
    ],
)
def test_figures_refuse_what_they_cannot_be(
    explorer, tmp_path, monkeypatch, name, options, instead
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(bp.InvalidValueError) as caught:
        explorer.figures(name, progress=False, **options)
    assert caught.value.instead == instead
    assert names(tmp_path) == []


def test_a_folder_that_does_not_exist_is_named_before_anything_is_drawn(explorer, tmp_path):
    nowhere = tmp_path / "nowhere"
    for write, name in (
        (explorer.animate, "a.gif"),
        (explorer.figures, "a.pdf"),
        (explorer.figures, "a"),
    ):
        with pytest.raises(FileNotFoundError, match="No such folder"):
            write(nowhere / name)


def test_an_interrupted_export_leaves_the_old_files(svgs, gif, explorer, monkeypatch):
    before = {
        path: path.read_bytes() for path in nonempty([*svgs.iterdir(), *gif.parent.iterdir()])
    }

    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(explorer, "draw", interrupted, raising=False)
    for write, path in ((explorer.animate, gif), (explorer.figures, svgs)):
        monkeypatch.setattr(explorer, "static_figure", lambda: _Alt, raising=False)
        with pytest.raises(KeyboardInterrupt):
            write(path, progress=False)
    assert {path: path.read_bytes() for path in before} == before
    assert names(svgs.parent) == ["steps"]
    assert names(gif.parent) == ["steps.gif", "steps.gif.txt"]


class _Alt:
    alt = "A picture."


# --- progress -------------------------------------------------------------------


def test_a_bar_counts_the_pictures_unless_it_is_not_wanted(explorer, tmp_path, monkeypatch):
    asked, real = [], export._bar
    monkeypatch.setattr(
        export, "_bar", lambda *args: asked.append((args, real(*args))) or asked[-1][1]
    )
    explorer.figures(tmp_path / "steps", progress=True)
    explorer.figures(tmp_path / "steps", progress=False)
    assert [args for args, _ in asked] == [(STEPS, True), (STEPS, False)]
    assert [bar.n for _, bar in asked] == [STEPS, 0]
