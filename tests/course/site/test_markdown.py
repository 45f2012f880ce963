"""Markdown on the site: its headings, its links, and its formulas as MathML."""

import pytest

from backprop_nb.course.site.markdown import Heading, Writer


@pytest.fixture
def writer():
    return Writer(lambda address: None if "gone" in address else f"site/{address}")


def test_equal_headings_have_ids_of_their_own(writer):
    writer.write("# Start\n\n## Part *two*\n\n## Part two")
    assert writer.headings == [
        Heading(1, "start", "Start"),
        Heading(2, "part-two", "Part <em>two</em>"),
        Heading(2, "part-two-1", "Part two"),
    ]


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("[a](b.ipynb)", '<a href="site/b.ipynb">a</a>'),
        ("[a](gone)", "<p>a</p>"),
        ("![a](b.png)", '<img src="site/b.png" alt="a" />'),
        ("![a](gone.png)", "<p>a</p>"),
        ('x <a href="b&amp;c">a</a>', '<a href="site/b&amp;c">a</a>'),
        ('<img src="b.png" alt="a">', '<img src="site/b.png" alt="a">'),
        ('<a id="x" href="gone">a</a>', '<a id="x" >a</a>'),
        ('`<a href="b">`', "<code>&lt;a href=&quot;b&quot;&gt;</code>"),
    ],
)
def test_a_link_leads_to_where_the_site_has_it(writer, source, written):
    assert written in writer.write(source)


@pytest.mark.parametrize(
    "source", ["![a](https://example.org/b.png)", '<img alt="a" src="https://example.org/b.png">']
)
def test_a_picture_from_elsewhere_is_left_out_and_remembered(writer, source):
    written = writer.write(source)
    assert "https" not in written
    assert "a" in written
    assert writer.remote == ["https://example.org/b.png"]


def test_a_picture_that_is_attached_travels_within_the_page(writer):
    attached = {"a.png": {"image/png": "QUJD"}}
    assert 'src="data:image/png;base64,QUJD"' in writer.write("![a](attachment:a.png)", attached)


@pytest.mark.parametrize(
    ("source", "display"),
    [("a $x_1$ b", "inline"), ("$$x_1$$", "block"), (r"\begin{align}x_1\end{align}", "block")],
)
def test_a_formula_is_mathml(writer, source, display):
    written = writer.write(source)
    assert f'display="{display}"' in written
    assert "<msub><mi>x</mi><mn>1</mn></msub>" in written
    assert writer.unknown == []


def test_a_tag_stands_beside_its_formula(writer):
    written = writer.write(r"$$x \tag{loss}$$")
    assert written.index("</math>") < written.index('<span class="tag">(loss)</span>')


@pytest.mark.parametrize("latex", [r"\nosuch{x}", r"\frac{a", r"x^", r"{a<b", r"\left("])
def test_what_cannot_be_converted_is_shown_as_it_is_written_and_remembered(writer, latex):
    written = writer.formula(latex, "inline")
    if writer.unknown:
        assert writer.unknown == [latex]
        assert written == f"<code>{latex.replace('<', '&lt;')}</code>"
    else:  # the converter is content with half a formula
        assert "\\" not in written


def test_a_double_bar_is_as_high_as_the_text(writer):
    written = writer.formula(r"\lVert x \rVert^2", "inline")
    assert written.count('<mo stretchy="false">\u2016</mo>') == 2
