"""``FindTheBug``: a game in traits, with an answer that is not told before it is asked for."""

import base64
import json
import zlib

import numpy as np
import pytest
from nonempty import nonempty
from snapshots import drawn

import backprop_nb as bp
from backprop_nb.checking.line_puzzle import make_line_puzzle
from backprop_nb.checking.mistakes import CATALOGUE
from backprop_nb.checking.puzzle import PLAYABLE, make_puzzle


def answer_of(game):
    """The mistake, from the same seed and not from the widget."""
    return make_puzzle(game._seed, game.round, game._mistakes).mistake


def wrong_answers(game):
    right = answer_of(game).id
    return [id for id in offered(game) if id != right]


def offered(game):
    """The ids of the choices."""
    return [each["id"] for stage in game.scene["choices"] for each in stage["choices"]]


def notes(game, kind):
    """What has been told of a kind."""
    return [note["words"] for note in game.found["notes"] if note["kind"] == kind]


@pytest.fixture
def game():
    return bp.FindTheBug(seed=4)


def test_a_round_begins_with_nothing_told(game):
    assert (game.level, game.round, game.step, game.score) == ("medium", 1, 0, 0)
    nothing = {"picture": None, "notes": [], "solved": False, "solution": None, "worth": 6}
    assert game.found == nothing
    assert (game.answer, game.verdict, game.worth) == ("", "", 6)


def test_a_right_answer_ends_the_round_and_wins_its_points(game):
    game.answer = answer_of(game).id
    assert game.verdict.startswith("Right: ")
    assert game.found["solution"]["id"] == answer_of(game).id
    assert notes(game, "solution")[0].startswith(answer_of(game).explanation)
    assert game.score == 6


def test_each_help_and_each_wrong_answer_costs(game):
    game.measured = True
    assert game.worth == 5
    game.hints = 1
    game.hints = 2
    assert game.worth == 3
    assert notes(game, "hint") == list(answer_of(game).hints[:2])
    game.answer = wrong_answers(game)[0]
    assert (game.worth, game.score) == (1, 0)
    assert game.describe().endswith("This round is worth 1 point; the score is 0.")
    assert game.verdict.startswith("Not “")
    assert game.found["solution"] is None
    game.answer = wrong_answers(game)[1]
    game.answer = answer_of(game).id
    assert (game.worth, game.score) == (1, 1)


def test_the_same_wrong_answer_costs_once(game):
    first, second = wrong_answers(game)[:2]
    game.answer = first
    game.answer = second
    game.answer = first
    assert game.worth == 2
    assert game.tried == [first, second]


def test_who_is_told_wins_nothing(game):
    game.given_up = True
    assert game.found["solution"]["id"] == answer_of(game).id
    assert notes(game, "solution")[0] == f"{answer_of(game).title}."
    assert game.score == 0
    with pytest.raises(bp.InvalidValueError, match="This round is over") as caught:
        game.answer = answer_of(game).id
    assert caught.value.instead == "round += 1"
    assert (game.answer, game.score) == ("", 0)


def test_the_next_round_begins_anew_and_keeps_the_score(game):
    game.measured = True
    game.answer = answer_of(game).id
    before, game.step, game.playing = game.scene, 30, True
    game.round += 1
    assert game.scene != before
    assert (game.step, game.playing, game.measured, game.answer) == (0, False, False, "")
    assert game.found["solution"] is None
    game.answer = answer_of(game).id
    assert game.score == 5 + 6


def test_a_round_that_comes_again_wins_nothing_more(game):
    game.given_up = True
    game.round = 2
    game.round = 1
    game.answer = answer_of(game).id
    assert game.score == 0


def test_levels_show_less_and_less():
    easy, medium, hard = (bp.FindTheBug(level, seed=4) for level in ("easy", "medium", "hard"))
    assert [len(offered(each)) for each in (easy, medium, hard)] == [6, 6, len(PLAYABLE)]
    assert [bool(each.scene["code"]) for each in (easy, medium, hard)] == [True, False, False]
    easy.level = "hard"
    assert easy.scene == hard.scene


def test_a_teacher_can_name_the_mistakes():
    game = bp.FindTheBug(seed=1, mistakes=["sign_flipped", "only_last_sample"])
    seen = set()
    for number in (1, 2):
        game.round = number
        seen.add(answer_of(game).id)
        assert answer_of(game).id in offered(game)
    assert seen == {"sign_flipped", "only_last_sample"}


def test_what_has_been_told_cannot_be_taken_back(game):
    game.measured, game.hints = True, 2
    with pytest.raises(bp.InvalidValueError, match="cannot be taken back"):
        game.measured = False
    with pytest.raises(bp.InvalidValueError, match="`hints` must be an integer from 2 to 3"):
        game.hints = 1
    assert (game.measured, game.hints) == (True, 2)


# --- the passes of courses ----------------------------------------------------


@pytest.fixture
def lines():
    return bp.FindTheBug(course="rows", seed=4)


def wrong_line(game):
    """The line, from the same seed and not from the widget."""
    forward = game.level == "hard"
    return make_line_puzzle(game._seed, game.round, [game.course], forward=forward).number


def test_a_line_is_answered_by_its_number(lines):
    number = wrong_line(lines)
    assert lines.offered == [str(k) for k in range(2, 18)]
    lines.answer = np.int64(3)
    assert lines.answer == "3"
    lines.answer = 3
    assert lines.verdict == "Line 3, z1 = X @ W1 + b1, is fine. It gives z1, as it should."
    assert (lines.worth, lines.over) == (4, False)
    lines.answer = str(number)
    assert (lines.score, lines.over) == (4, True)
    assert lines.found["solution"]["id"] == str(number)


@pytest.mark.parametrize("line", [1, 18, True, "x", 3.0])
def test_what_is_no_line_is_refused(lines, line):
    with pytest.raises(bp.InvalidValueError, match='`answer` must be "2", "3", '):
        lines.answer = line
    assert (lines.answer, lines.tried) == ("", [])


def test_levels_of_lines_offer_more_and_more():
    easy, medium, hard = (
        bp.FindTheBug(level, course="columns") for level in ("easy", "medium", "hard")
    )
    assert [len(each.offered) for each in (easy, medium, hard)] == [6, 15, 15]
    numbers = {k: make_line_puzzle(0, k, ["columns"], forward=True).number for k in range(1, 9)}
    hard.round = min(numbers, key=numbers.get)
    assert numbers[hard.round] < 9  # where the way back begins
    hard.answer = numbers[hard.round]
    assert hard.score == 6


def test_each_course_and_the_harder_rounds_have_points_of_their_own():
    game = bp.FindTheBug(course="rows", seed=1)
    for course, level in (("rows", "medium"), ("rows", "hard"), ("columns", "hard")):
        game.course, game.level = course, level
        game.answer = wrong_line(game)
    assert game.score == 18
    game.course = "document"
    game.answer = answer_of(game).id
    assert game.score == 24
    game.course, game.level = "rows", "easy"  # the same round with fewer lines
    game.answer = wrong_line(game)
    assert game.score == 24


def test_a_course_and_named_mistakes_do_not_go_together():
    with pytest.raises(
        bp.InvalidValueError, match="`mistakes` are those of the document"
    ) as caught:
        bp.FindTheBug(course="rows", mistakes=["sign_flipped"])
    assert eval(caught.value.instead).course == "rows"
    game = bp.FindTheBug(mistakes=["sign_flipped"])
    with pytest.raises(bp.InvalidValueError, match="`mistakes` are those"):
        game.course = "rows"
    assert game.course == "document"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("seed", -1, "an integer of at least 0"), ("course", "nielsen", '"document", "rows", ')],
)
def test_a_wrong_beginning_is_refused(name, value, said):
    with pytest.raises(bp.InvalidValueError, match=f"`{name}` must be {said}") as caught:
        bp.FindTheBug(**{name: value})
    assert caught.value.given == f"{name} = {value!r}"


def test_where_a_line_is_asked_for_nothing_is_replayed(lines):
    assert lines.last_step == 0
    with pytest.raises(bp.InvalidValueError, match="`step` must be an integer from 0 to 0"):
        lines.step = 1
    lines.course = "document"
    assert lines.last_step == 60
    assert lines.scene["asks"] == "mistake"


def test_a_course_is_named_in_what_stands_for_the_game(lines):
    assert repr(lines) == "FindTheBug('medium', course='rows', seed=4, round 1, 0 points)"
    assert lines.describe().startswith("Find the bug, level medium, round 1: one line of this ")
    assert lines.heading() == "Find the wrong line of this backward pass"
    lines.given_up = True
    assert f"It is: line {wrong_line(lines)}, " in lines.describe()
    assert "A backward pass with a wrong line, round 1." in lines.draw().alt


def test_a_page_with_a_line_carries_the_answer_but_not_to_be_read_by_chance(lines, tmp_path):
    page = lines.to_html(tmp_path / "line").read_text(encoding="utf-8")
    state = unpacked(page.partition('id="bpnb-state">')[2].partition("</script>")[0])
    secret = json.loads(unpacked(lines._own_state()["sealed"]))
    assert secret["solution"]["id"] == str(wrong_line(lines))
    for text in nonempty(each["words"] for each in secret["solution"]["notes"][1:]):
        assert text not in page + state
    assert "arrow keys choose a line, and Enter answers." in page


# --- the secret ---------------------------------------------------------------


@pytest.mark.parametrize("level", ["easy", "medium"])
def test_before_the_answer_nothing_that_is_shown_tells_it(level):
    for number in range(1, 6):
        game = bp.FindTheBug(level, seed=2, round=number)
        game.measured, game.hints = True, 2
        mistake = answer_of(game)
        state = {key: value for key, value in game.get_state().items() if not key.startswith("_")}
        state["scene"] = game.scene  # which travels compressed
        visible = [repr(game), game.draw().alt, game.describe(), json.dumps(state, default=str)]
        others = [CATALOGUE[id] for id in offered(game)]
        for text in nonempty(visible):
            assert mistake.explanation not in text
            assert mistake.hints[2] not in text
            # A choice among others, and named as often as they are.
            assert {text.count(other.title) for other in others} <= {0, 1}
            assert len({text.count(f'"{other.id}"') for other in others}) == 1


def unpacked(text):
    return zlib.decompress(base64.b64decode(text)).decode()


def test_a_page_carries_the_answer_but_not_to_be_read_by_chance(game, tmp_path):
    assert game.sealed == ""  # in a notebook
    page = game.to_html(tmp_path / "bug").read_text(encoding="utf-8")
    state = unpacked(page.partition('id="bpnb-state">')[2].partition("</script>")[0])
    mistake = answer_of(game)
    assert mistake.explanation not in page + state
    # Once among the choices of the state, once in the words.
    assert state.count(json.dumps(mistake.title)) == page.count(f"\n  {mistake.title}\n") == 1
    secret = json.loads(unpacked(game._own_state()["sealed"]))
    assert secret["solution"]["id"] == mistake.id
    right = {id for id, said in secret["verdicts"].items() if said["kind"] == "right"}
    assert right == {mistake.id}
    assert [hint["words"] for hint in secret["hints"]] == list(mistake.hints)
    game.answer = wrong_answers(game)[0]
    assert secret["verdicts"][game.answer]["words"] == game.verdict


# --- what stands in for it ----------------------------------------------------


def test_the_text_twin_says_what_is_seen_and_then_what_is_told(game):
    words = game.describe()
    assert len(offered(game)) == 6
    for id in offered(game):
        assert f"\n  {CATALOGUE[id].title}\n" in words
    assert game.scene["frames"][60]["words"] in words
    assert "By central differences" not in words
    assert words.endswith("This round is worth 6 points; the score is 0.")
    game.hints = 1
    game.answer = answer_of(game).id
    words = " ".join(game.describe().split())
    assert f"Hint 1: {answer_of(game).hints[0]}" in words
    assert f"✓ {game.verdict} " in words
    assert "It is: " not in words  # which the learner has said
    assert answer_of(game).explanation in words
    assert words.endswith("This round is over; the score is 5.")
    game.measured = True  # which is said once, in a line
    assert game.describe().count("By central differences") == 1
    assert "\nBy central differences, last layer first: " in game.describe()


def test_the_figure_shows_the_epoch_and_the_measured_gradient(game):
    start = drawn(game.draw())
    assert start.count("?") == 6
    game.measured = True
    game.step = 40
    now = drawn(game.draw(theme="dark"))
    assert now.count("?") == 0
    assert game.scene["frames"][40]["patch"]["norm:0:right"]["text"] in now
    assert "Epoch 60" in game.draw().alt
