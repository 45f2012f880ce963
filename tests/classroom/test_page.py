"""The page of a class: one file, nothing runs in it, and every text in it is text."""

import html
import re
from html.parser import HTMLParser

import pytest
from nonempty import nonempty

from backprop_nb.checking.backward import check_backward
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.classroom.page import summary_page
from backprop_nb.classroom.summary import summarise
from backprop_nb.classroom.verdict import make_settings

ATTACK = '<img src=x onerror="alert(1)">.py'


def a_class(*mistakes, name="s.py"):
    results = []
    for k, mistake in enumerate(mistakes):
        backward = make_backward(*([mistake] if mistake else []), samples="single")
        report = check_backward(backward)
        row = {"submission": name, "id": f"s{k}", "feedback": f"feedback/{name}.html"}
        results.append({**row, "outcome": "answered", **report.to_dict()})
    return results


def page(*mistakes, names=False, **options):
    results = a_class(*mistakes, name=options.pop("name", "s.py"))
    return summary_page(summarise(results, make_settings(**options), names)).decode("utf-8")


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.attributes = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


def test_a_hostile_name_is_text():
    elements = Elements(page("sign_flipped", names=True, name=ATTACK))
    assert ATTACK in elements.texts
    assert {"img", "script"}.isdisjoint(elements.tags)
    assert not any(name.startswith("on") or name == "src" for name, _ in elements.attributes)
    links = {value for name, value in elements.attributes if name == "href"}
    assert links == {"feedback/%3Cimg%20src%3Dx%20onerror%3D%22alert%281%29%22%3E.py.html"}


def test_there_is_no_name_unless_asked_for():
    assert "img" not in page("sign_flipped", name=ATTACK)


def test_the_sentences_and_the_counts_of_the_heat_map_are_there():
    text = page(*["sigma_prime_missing_in_hidden"] * 4, *["sign_flipped"] * 2, *[""] * 7)
    assert "<li>31 % (4 of 13): σ′ is missing in the hidden layers.</li>" in text
    (row,) = re.findall(r"σ′ is missing in the hidden layers</th>\n(.*?)</tr>", text, re.DOTALL)
    cells = [re.sub(r"<[^>]*>", "", cell) for cell in row.split("</td>") if cell]
    assert [each.strip() for each in cells] == ["4 31 %", "4 31 %", "0", "4 31 %"]


def test_what_gave_no_gradients_and_what_was_not_recognised_stand_apart():
    results = a_class("sign_flipped", "", "")
    results[1]["outcome"] = "too slow"
    nobody_knows = {"mistake": "not_recognised", "parameter": "dA[1]", "rank": 1, "layers": []}
    results[2]["findings"] = [nobody_knows]
    text = summary_page(summarise(results, make_settings())).decode("utf-8")
    heat, _, rest = text.partition("<h2>No gradients</h2>")
    assert "It does not come to an end</th>\n<td><b>1</b> <small>33 %</small>" in rest
    assert "It does not come to an end</th>" not in heat
    assert "<li><code>s2</code>, first wrong: dA[1]</li>" in rest
    assert "--with-names" in rest
    named = summary_page(summarise(results, make_settings(), names=True)).decode("utf-8")
    assert "s.py</a>, first wrong: dA[1]</li>" in named
    assert "--with-names" not in named


def test_lines_and_reasons_stand_there_as_text():
    results = a_class("sign_flipped", name=ATTACK)
    line = {"cell": "cell 2", "number": 3, "text": f"d = {ATTACK}", "quantity": "∂L/∂b[2]"}
    results[0] |= {"line": line, "student": ATTACK}
    more = {"left_out": {ATTACK: "An older attempt."}, "by_hand": {ATTACK: "Nothing handed in."}}
    named, unnamed = (
        Elements(summary_page(summarise(results, make_settings(), names, **more)).decode())
        for names in (True, False)
    )
    assert f"d = {ATTACK}" in named.texts
    assert "line 3 of cell 2" in named.texts
    assert sum(ATTACK in text for text in named.texts) >= 4
    assert {"img", "script"}.isdisjoint(named.tags)
    assert not any(ATTACK in text and "d = " not in text for text in unnamed.texts)
    for each in nonempty([named, unnamed]):
        assert {"An older attempt", "Nothing handed in"} <= {text.strip() for text in each.texts}


def test_it_fetches_nothing_and_nothing_runs():
    text = page("sign_flipped")
    assert "default-src 'none'" in html.unescape(text)
    assert "http" not in text.replace("http-equiv", "")
    assert "script" not in text


def test_it_is_the_same_for_the_same_class():
    assert page("sign_flipped", "") == page("sign_flipped", "")


def test_a_class_without_mistakes_and_an_empty_one_have_a_page():
    assert "<li>Nothing.</li>" in page("", "")
    assert "0 students" in page()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Loss ‖y − f‖²; one sample; networks of 3 layers"),
        ({"half": True}, "½‖y − f‖²"),
        ({"samples": "rows", "reduction": "sum"}, "sum over the samples; samples as rows"),
    ],
)
def test_it_says_how_the_course_writes_it(options, words):
    results = a_class("")
    assert words in summary_page(summarise(results, make_settings(**options))).decode()
