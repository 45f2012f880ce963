"""What a student gets back: as text and as a page, with no more than the hints allow."""

from html.parser import HTMLParser

import pytest

from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.probes import ask_all, make_probes
from backprop_nb.classroom.host import Reply
from backprop_nb.classroom.page import feedback_page
from backprop_nb.classroom.verdict import make_settings, report_on, result_of

ATTACK = '<img src=x onerror="alert(1)">.py'


def feedback(hints="plain"):
    settings = make_settings(hints=hints)
    wrong = make_backward("sign_flipped", samples="single")
    result = result_of(Reply("answered", ask_all(wrong, make_probes(settings.course))), settings)
    return result["text"], feedback_page(ATTACK, result["html"], settings.course).decode()


def tags(page):
    found = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.add(tag)
    parser.feed(page)
    return found


def test_a_hostile_name_is_text_and_nothing_runs():
    _, page = feedback()
    assert {"img", "script", "link"}.isdisjoint(tags(page))
    assert "default-src &#x27;none&#x27;" in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize(
    ("hints", "mistake", "given", "expected"),
    [("none", False, False, False), ("vague", False, True, False), ("plain", True, True, True)],
)
def test_both_say_as_much_as_the_hints_allow(hints, mistake, given, expected):
    for text in feedback(hints):
        assert ("The sign is flipped" in text) == mistake
    _, page = feedback(hints)
    assert ("given, (" in page) == given
    assert ("expected, (" in page) == expected


def test_who_gave_no_gradients_reads_why_and_nothing_else():
    settings = make_settings(function="grad")
    reply = Reply("ended", problem="It ended.", notes=("cell 1 raised <b>E</b>",))
    result = result_of(reply, settings)
    page = feedback_page("a.py", result["html"], settings.course).decode()
    for text in (result["text"], page):
        assert "grad: no gradients to check." in text
        assert "It ended." in text
    assert "cell 1 raised &lt;b&gt;E" in page
    assert "<li" not in page


@pytest.mark.parametrize("reply", [Reply("too slow", problem="No end."), Reply("unreadable")])
def test_the_report_on_no_gradients_has_the_hints_of_the_others(reply):
    assert report_on(reply, make_settings(hints="vague")).hints == "vague"


def test_it_says_how_the_course_writes_it():
    assert "Loss ‖y − f‖²; one sample; networks of 3 layers." in feedback()[1]
