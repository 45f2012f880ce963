"""What every live view promises, checked on each without a browser."""

import contextlib
import inspect
import json
import pickle
import re
import subprocess
import sys
import traceback
import zlib
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import every_view
import numpy as np
import pytest
from every_view import MAKERS, NET, VIEWS, X, Y
from IPython.core.formatters import DisplayFormatter
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb import views
from backprop_nb.errors import either
from backprop_nb.views import live_view
from backprop_nb.views.cells import Run
from backprop_nb.views.paper import Drawing, as_html
from backprop_nb.views.state import State

ATTACK = "</title><img src=x onerror=alert(1)></script><script>alert(2)</script><!--"

ELSEWHERE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from every_view import VIEWS
for name, make in VIEWS.items():
    view = make()
    view.to_html(name)
    Path(f"{name}.txt").write_text(f"{view!r}\\n{view.describe()}", encoding="utf-8")
"""


@pytest.fixture(scope="module", params=VIEWS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def view(name):
    return VIEWS[name]()


@pytest.fixture(scope="module")
def page(view, tmp_path_factory):
    return view.to_html(tmp_path_factory.mktemp("here") / "page").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, pytestconfig):
    """A folder with what another process makes of the same views: other hashes, other addresses."""
    folder = tmp_path_factory.mktemp("elsewhere")
    views = str(Path(every_view.__file__).parent)
    filters = ["error", *(pytestconfig.getoption("pythonwarnings") or ())]  # as in this process
    options = [option for each in filters for option in ("-W", each)]
    command = [sys.executable, *options, "-c", ELSEWHERE, views]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder


def tags(page):
    """The elements that a browser would find in a page, and their attributes' names."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, [k for k, _ in attributes]))
    parser.feed(page)
    return found


def test_every_room_has_its_view():
    rooms = {path.parent.name for path in Path(views.__file__).parent.glob("*/__init__.py")}
    assert {getattr(bp, name).__module__.split(".")[2] for name in VIEWS} == rooms


def test_it_is_offered_at_the_top_level(name):
    assert getattr(bp, name) is getattr(bp.widgets, name)
    assert name in dir(bp)
    with pytest.raises(AttributeError, match=f"no attribute '{name[:-1]}'"):
        getattr(bp, name[:-1])


def test_a_view_that_is_pickled_says_what_to_keep(view):
    with pytest.raises(bp.UnsupportedError, match="cannot be pickled") as told:
        pickle.dumps(view)
    assert "to_html" in told.value.instead


@pytest.mark.slow
def test_words_repr_and_page_are_the_same_in_every_process(name, view, page, elsewhere):
    words = view.describe()
    assert words.strip()
    assert (elsewhere / f"{name}.txt").read_text(encoding="utf-8") == f"{view!r}\n{words}"
    assert (elsewhere / f"{name}.html").read_text(encoding="utf-8") == page
    assert not re.search(r"0x[0-9a-f]{6}", repr(view) + words)


def test_a_picture_and_words_are_stored_beside_the_live_view(view):
    # As IPython asks, which prefers what ipywidgets 7 has, and the view has not.
    data, metadata = DisplayFormatter().format(view)
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/png"].startswith(b"\x89PNG")
    alt = view.static_figure().alt
    assert data["text/html"] == as_html(data["image/png"], alt)
    assert metadata["image/png"]["alt"] == alt
    assert len(alt) > 20
    assert data["text/plain"] == repr(view)


def test_it_is_drawn_on_light_and_on_dark_paper(view):
    light, dark = (view.draw(theme=theme) for theme in ("light", "dark"))
    assert isinstance(light, Drawing)
    assert light.alt == dark.alt
    assert light.get_facecolor() != dark.get_facecolor()
    with pytest.raises(bp.InvalidValueError, match="`theme` must be"):
        view.draw(theme="sepia")


def test_all_of_its_state_is_in_traits_that_json_can_hold(view):
    names = [name for name in view.trait_names(sync=True) if not name.startswith("_")]
    assert "scene" in names
    state = view.get_state(names)
    scene = json.loads(zlib.decompress(state.pop("scene")))
    assert scene == untupled(view.scene)
    assert json.loads(json.dumps(state, allow_nan=False)) == untupled(state)


def test_a_page_from_this_machine_gets_a_scene_that_neither_waits_nor_is_unpacked(view):
    view.set_state({"_near": True})
    sent = view.get_state("scene")["scene"]
    large = view.trait_metadata("scene", "to_json")({"text": "x" * 2**18}, view)
    view.set_state({"_near": False})
    assert json.loads(sent) == untupled(view.scene)
    assert len(sent) >= 2**16
    assert len(zlib.decompress(large)) > 2**18 > 2**12 > len(large)


def untupled(value):
    if isinstance(value, dict):
        return {key: untupled(each) for key, each in value.items()}
    return [untupled(each) for each in value] if isinstance(value, (list, tuple)) else value


def test_its_page_asks_for_nothing(page):
    # Namespaces are names that look like addresses; nobody ever asks for them.
    addresses = set(re.findall(r"\bhttps?://[\w./-]+", page))
    assert {each.split("/")[2] for each in addresses} == {"www.w3.org"}
    assert not re.search(r"@import|url\(|\bimport\s*\(|\bfrom \"\./|<(?:iframe|base|object)", page)
    sources = re.findall(r"<[^>]*\b(?:src|href)=\"([^\"]*)\"", page)
    assert sources
    assert all(each.startswith("data:") for each in sources)


def test_a_hostile_title_stays_a_text(view, page, tmp_path):
    hostile = view.to_html(tmp_path / "hostile", title=ATTACK).read_text(encoding="utf-8")
    assert tags(hostile) == tags(page)
    assert ATTACK not in hostile


# Neither "1 inputs" nor "all 1 input"; "σ′ leaves 0.1 s" and "A_1 is" are no counts.
MISCOUNTED = re.compile(
    r"(?<![\w.,·×/^−-])(?:1|one) "
    r"(?!is|this|thus|times|less|does|was|has|shows|makes|leads)[a-z]+s\b(?<!pass)(?<!loss)"
    r"|\b(?:all|these|[Tt]he|of) 1 [a-z]|\b1 [a-z]+ are\b"
    r"|(?<![\w.,·×/^−-])2 (?:input|output|unit|number|row|column|node|layer|entry|step|point)\b"
)


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


@pytest.mark.parametrize("n", [1, 2])
def test_one_of_a_thing_is_one_and_two_are_many(n):
    net = bp.SigmoidNetwork((n, n, n), seed=0)
    x, y = [0.5] * n, [0.0] * n
    shown = [
        *(bp.ChainRule(net, x, y, side=side) for side in ("left", "right")),
        *(make(net, [x] * n, [y] * n) for make in (bp.ChainRule, bp.GradientFlow)),
        net.trace(x, y).explore(),
        bp.Playground(widths=[2, n, 1], batch_size=n),
        bp.SigmoidExplorer(layers=n),
        bp.FindTheBug("easy", round=n),
        bp.FindTheBug("easy", course="any", round=n),
    ]
    for view in shown:
        words = [view.describe(), view.heading(), view.hint, view.static_figure().alt]
        found = nonempty([*words, *texts(view.scene)])
        assert [text for text in found if MISCOUNTED.search(text)] == []
    assert MISCOUNTED.search("reaches all 1 input number")
    assert MISCOUNTED.search("has 1 inputs")


# --- what it refuses ---------------------------------------------------------------

each_maker = pytest.mark.parametrize(("name", "make"), MAKERS.items(), ids=list(MAKERS))


@each_maker
def test_an_unknown_argument_is_refused_not_passed_over(name, make):
    with pytest.raises(bp.UnsupportedError, match=f"^{name} has no `stepp`") as caught:
        make(stepp=3)
    assert caught.value.given == "stepp=3"


@each_maker
def test_a_slip_in_an_attribute_is_refused_not_passed_over(name, make):
    view = make()
    with pytest.raises(bp.UnsupportedError, match=f"^{name} has no `colour`"):
        view.colour = "red"
    view._own = 1  # a subclass may keep what it likes


def test_the_refusal_says_what_there_is_and_what_was_probably_meant():
    with pytest.raises(bp.UnsupportedError) as caught:
        bp.Playground(learning_rat=2)
    message = str(caught.value)
    assert "expected: activation, batch_size, data, data_seed, epoch, epochs_per_frame" in message
    assert "instead:  learning_rate" in message


def test_an_error_is_told_at_the_learners_line_without_the_machinery():
    flow = bp.GradientFlow()
    for act in (lambda: bp.Playground("circle"), lambda: setattr(flow, "depth", 0)):
        with pytest.raises(bp.InvalidValueError) as caught:
            act()
        files = [Path(frame.filename).name for frame in traceback.extract_tb(caught.tb)]
        assert "traitlets.py" not in files
        assert len(files) <= 4
        assert caught.value.__suppress_context__


@each_maker
def test_the_scene_follows_from_the_state_and_cannot_be_assigned(name, make):
    view = make()
    before = view.scene
    for act in (lambda: setattr(view, "scene", {}), lambda: make(scene={})):
        with pytest.raises(bp.UnsupportedError, match=r"^`scene` cannot be assigned"):
            act()
    assert view.scene is before


def trained(**settings):
    playground = bp.Playground(**{"widths": (2, 4, 1), "seed": 1} | settings)
    playground.train(3)
    return playground


BATCH = [X, [1.0, 0.0, -1.0]], [Y, [0.0, 1.0]]
KINDS = {
    "ChainRule": partial(bp.ChainRule, NET, X, Y),
    "FindTheBug": partial(bp.FindTheBug, seed=4),
    "GradientFlow": partial(bp.GradientFlow, NET, *BATCH),
    "GraphExplorer": partial(bp.GraphExplorer, bp.trace(lambda x: x**2 + x, 3.0)),
    "Playground": trained,
    "SigmoidExplorer": bp.SigmoidExplorer,
}
SETS = '"blobs", "xor", "circles", "moons" or "spiral"; arrays need a new Playground((x, y))'
LEVELS, ENDS = '"easy", "medium" or "hard"', "two inputs, any layers, one output, such as (2, 4, 1)"
HIDDEN = '"sigmoid", "tanh", "relu", "leaky relu" or "identity"'
MUST_BE = [  # what a rule refuses besides is in test_state.py
    ("ChainRule", "side", "up", '"left" or "right"'),
    ("ChainRule", "section", "all", '"product" or "transposes"'),
    ("ChainRule", "step", 4, "an integer from 0 to 3"),
    ("ChainRule", "row", 1, "0, for `x` is a single input"),
    ("ChainRule", "row", "a", "0, for `x` is a single input"),
    ("FindTheBug", "level", "expert", LEVELS),
    ("FindTheBug", "round", 0, "an integer of at least 1"),
    ("FindTheBug", "hints", 4, "an integer from 0 to 3"),
    ("FindTheBug", "step", 61, "an integer from 0 to 60"),
    ("FindTheBug", "step", -1, "an integer from 0 to 60"),
    ("FindTheBug", "playing", "yes", "True or False"),
    ("FindTheBug", "interval", 1, "an integer of at least 100"),
    ("GradientFlow", "edges", "both", '"weight" or "gradient"'),
    ("GradientFlow", "edges", np.ones(2), '"weight" or "gradient"'),
    ("GradientFlow", "activation", "elu", HIDDEN),
    ("GradientFlow", "depth", 0, "an integer from 1 to 50"),
    ("GradientFlow", "width", True, "an integer from 1 to 64"),
    ("GradientFlow", "seed", -1, "an integer from 0 to 4294967295"),
    ("GradientFlow", "row", 2, "an integer from 0 to 1"),
    ("GradientFlow", "scale", -1.0, "a number from 0 to 1000"),
    ("GradientFlow", "epsilon", float("nan"), "a number from −1000 to 1000"),
    ("GradientFlow", "weight", float("inf"), "a number from −1000 to 1000"),
    ("GradientFlow", "given", "yes", "True or False"),
    ("GradientFlow", "more", 1, "True or False"),
    ("GradientFlow", "step", 99, "an integer from 0 to 5"),
    ("GraphExplorer", "step", 99, "an integer from 0 to 5"),
    ("GraphExplorer", "predict", "size", '"off", "value", "sign" or "shape"'),
    ("GraphExplorer", "notation", "latex", '"numpy" or "formulas"'),
    ("Playground", "data", "rings", SETS),
    ("Playground", "data", "own", SETS),
    ("Playground", "seed", -1, "an integer of at least 0"),
    ("Playground", "noise", 0.6, "a number from 0 to 0.5"),
    ("Playground", "widths", (3, 4, 1), ENDS),
    ("Playground", "widths", [2], ENDS),
    ("Playground", "widths", (2, 4.0, 1), ENDS),
    ("Playground", "activation", "softmax", HIDDEN),
    ("Playground", "loss", "hinge", '"squared error" or "cross-entropy"'),
    ("Playground", "learning_rate", 0, "a positive number"),
    ("Playground", "learning_rate", float("nan"), "a positive number"),
    ("Playground", "learning_rate", "1", "a positive number"),
    ("Playground", "batch_size", -1, "a positive integer, or None for all rows"),
    ("Playground", "epochs_per_frame", 101, "an integer from 1 to 100"),
    ("SigmoidExplorer", "z", 7, "a number from −6 to 6"),
    ("SigmoidExplorer", "z", np.nan, "a number from −6 to 6"),
    ("SigmoidExplorer", "layers", 0, "an integer from 1 to 10"),
    ("SigmoidExplorer", "activation", "softmax", '"sigmoid", "tanh" or "relu"'),
]
LATER = [  # of what there is in a first state only this is less, or more
    ("FindTheBug", "answer", "typo", either(bp.FindTheBug(seed=4).offered)),
    ("Playground", "data", ([[0, 0]], [1]), SETS),
    ("Playground", "epoch", 4, "an integer from 0 to 3"),
    ("Playground", "epoch", -1, "an integer from 0 to 3"),
]


@pytest.mark.parametrize(("kind", "name", "value", "expected"), MUST_BE + LATER)
def test_what_it_cannot_be_is_refused_and_nothing_changes(kind, name, value, expected):
    view = KINDS[kind]()
    acts = [lambda: setattr(view, name, value), lambda: KINDS[kind](**{name: value})]
    before = view.get_state(), view.describe()
    for act in acts if (kind, name, value, expected) not in LATER else acts[:1]:
        with pytest.raises(bp.InvalidValueError) as caught:
            act()
        said = f"`{name}` must be {expected}.\n  given:    {name} = {value!r}"
        assert str(caught.value).partition("\n  instead:")[0] == said
    assert (view.get_state(), view.describe()) == before


@pytest.mark.parametrize(
    ("kind", "name", "value", "error", "said"),
    [
        ("ChainRule", "i", 2, bp.NotFoundError, "A network of 2 layers has no θ_2.\n  given:    "
         "i = 2\n  expected: i from 0 to 1, numbered as in the document"),
        ("ChainRule", "selected", "∂f_9/∂f_8", bp.NotFoundError, "`selected` must be the name of "
         "a factor that is shown.\n  given:    selected = '∂f_9/∂f_8'\n"
         '  expected: one of ∂L/∂f_2, ∂f_2/∂f_1, ∂f_1/∂θ_0, or ""'),
        ("GradientFlow", "input", None, bp.ShapeError, "`input` must be a list of 3 numbers"),
        ("GradientFlow", "input", [1, 2], bp.ShapeError, "`input` must be a list of 3 numbers"),
        ("GradientFlow", "input", "abc", bp.ShapeError, "`input` must be a list of 3 numbers"),
        ("GradientFlow", "input", [1, 2, float("nan")], bp.InvalidValueError, "`input` must not "),
        ("GradientFlow", "selected", "A_9[0, 0]", bp.NotFoundError, "This network has no A_9[0, "),
        ("GraphExplorer", "selected", "w", bp.NotFoundError, "The graph has no node 'w'."),
    ],
)  # fmt: skip
def test_what_it_does_not_have_is_refused_in_words_of_its_own(kind, name, value, error, said):
    view = KINDS[kind]()
    before = view.get_state()
    for act in (lambda: setattr(view, name, value), lambda: KINDS[kind](**{name: value})):
        with pytest.raises(error) as caught:
            act()
        assert str(caught.value).startswith(said)
    assert view.get_state() == before


def test_what_follows_from_the_state_has_its_kind():
    with pytest.raises(bp.InvalidValueError, match=r"^`score` must be an int"):
        bp.FindTheBug().score = "high"


@pytest.mark.parametrize("name", ["GradientFlow", "ChainRule", "FindTheBug"])
def test_a_figure_is_drawn_at_a_step_that_there_is(name):
    view = MAKERS[name]()
    last = view.last_step
    assert view.draw(step=last).alt
    with pytest.raises(bp.InvalidValueError, match=rf"^`step` must be an integer from 0 to {last}"):
        view.draw(step=last + 1)


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        (lambda x: x, "bp.trace(f, …) with f's arguments: GraphExplorer(bp.trace(f, …))"),
        (NET, "the network's trace: GraphExplorer(net.trace(x, y))"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_way_to_one(given, instead):
    with pytest.raises(bp.UnsupportedError, match="shows a traced graph") as caught:
        bp.GraphExplorer(given)
    assert caught.value.instead == instead


# --- two threads --------------------------------------------------------------


class Turns:
    """Stands for the lock, and counts how often it is taken."""

    taken = 0

    def __enter__(self):
        self.taken += 1

    def __exit__(self, *problem):
        pass


def public(kind):
    """What a cell can ask of a view: its own methods and properties, and what it has from here."""
    for each in kind.__mro__:
        if each.__module__.startswith("backprop_nb"):
            values = vars(each).items()
            yield from (name for name, value in values if is_asked(name, value))


def is_asked(name, value):
    return not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property))


ARGUMENTS = {
    "animate": ("steps.bmp",),  # refused, before anything is drawn
    "cell_has_run": (Run("cell", "message"),),
    "figures": ("steps.svg",),
    "set_trait": ("_view_count", 1),
    "set_state": ({},),
    "to_html": ("page",),
    "to_mjs": ("module",),
    "train": (1,),
}


@pytest.mark.slow
def test_all_that_a_cell_can_ask_or_change_waits_for_its_turn(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    view = MAKERS[name]()
    monkeypatch.setattr(live_view, "TURN", turns := Turns())
    asked = sorted(set(public(type(view))), key=lambda each: (each == "close", each))
    assert {"describe", "draw", "to_html", "set_state", "hold_sync"} <= set(asked)
    for each in asked:
        before = turns.taken
        found = getattr(view, each)
        if inspect.ismethod(found):
            with contextlib.suppress(bp.InvalidValueError, bp.UnsupportedError):
                found = found(*ARGUMENTS.get(each, ()))
        if each.startswith("hold_"):
            with found:
                pass
        assert turns.taken > before, each
    changed = sorted(each for each, trait in view.traits().items() if isinstance(trait, State))
    for each in nonempty(changed):
        before = turns.taken
        with contextlib.suppress(bp.InvalidValueError):  # not every first state can be assigned
            setattr(view, each, getattr(view, each))
        assert turns.taken > before, each
