"""The site of a course: whole, linked, told to search engines, and nothing fetched."""

import base64
import json
import re
import zlib
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from nonempty import nonempty
from site_links import Read, faults
from small_course import HOSTILE, TITLE, VIEWS, built

import backprop_nb as bp
from backprop_nb.__main__ import DONE, main
from backprop_nb.course.notebooks import lessons
from backprop_nb.course.site.build import build

VIEW_PAGES = [f"views/0_views-{number}.html" for number in range(1, len(VIEWS) + 1)]
PAGES = ["index.html", "0_views.html", "1_text.html", "extra/notes.html"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """What ``build`` says of the small course."""
    with pytest.MonkeyPatch.context() as patch:
        return built(tmp_path_factory.mktemp("course"), patch)


@pytest.fixture(scope="module")
def site(small):
    return small.out


@pytest.fixture(scope="module")
def pages(site):
    return {name: Read(site / name) for name in PAGES}


def test_every_file_is_there_and_no_other(site):
    found = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    kinds = [f"assets/{name}.{ending}" for name in VIEWS for ending in ("js", "css")]
    pictures = [name.replace(".html", ".png") for name in VIEW_PAGES]
    others = ["0_views.ipynb", "1_text.ipynb", "extra/dot.png", "extra/numbers.csv"]
    others += ["pictures/1_text-1.png", "pictures/1_text-2.png"]
    own = ["assets/site.css", "assets/site.js", "sitemap.xml", ".nojekyll"]
    assert found == {*PAGES, *VIEW_PAGES, *kinds, *pictures, *others, *own}


def test_every_link_and_anchor_leads_somewhere_and_nothing_is_fetched(site):
    assert faults(site) == []


def test_a_dead_link_or_anchor_would_be_found(site, tmp_path):
    for text in (
        "<a href='gone.html'>",
        "<a href='#gone'>",
        "<img src='https://example.org/a.png'>",
    ):
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        assert len(faults(tmp_path)) == 1


def test_what_does_not_work_on_a_page_is_said(small, pages):
    assert [doubt.partition(",")[0] for doubt in small.doubts] == [
        "0_views.ipynb: nothing is at nowhere.ipynb",
        "1_text.ipynb: the picture https://example.org/badge.svg is left out",
        "1_text.ipynb: no MathML of $\\nosuchcommand{x}$",
        "1_text.ipynb: there is a widget",
        "1_text.ipynb: there is a script",
    ]
    assert " 0%|" not in pages["1_text.html"].texts["pre"]
    assert "fit: 100%|███| 3/3" in pages["1_text.html"].texts["pre"]
    assert small.doubts[3].endswith('of the cell that ends "x.slider".')
    assert "nowhere.ipynb" not in [address for _, address in pages["0_views.html"].addresses]
    assert str(small).endswith(f"open {small.out / 'index.html'}")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is(pages, name):
    page = pages[name]
    title = {"index.html": TITLE, "0_views.html": "Views: one of each"}.get(name)
    assert page.all("html") == [{"lang": "en"}]
    assert title is None or page.texts["title"].startswith(title)
    assert len(page.all("h1")) == 1
    about = {
        each.get("name", each.get("property")): each.get("content") for each in page.all("meta")
    }
    assert 3 <= len(about["description"]) <= 160
    assert about["og:description"] == about["description"]
    assert about["og:url"] == f"https://example.org/course/{'' if name == 'index.html' else name}"
    [canonical] = [each["href"] for each in page.all("link") if each["rel"] == "canonical"]
    assert canonical == about["og:url"]
    # A heading is never more than one level below the one before.
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert [b - a for a, b in pairwise(levels) if b - a > 1] == []


def test_titles_and_descriptions_differ_from_page_to_page(pages):
    for about in ("title", "description"):
        said = [
            page.texts["title"]
            if about == "title"
            else next(each["content"] for each in page.all("meta") if each.get("name") == about)
            for page in pages.values()
        ]
        assert len(set(said)) == len(PAGES)


def test_every_picture_has_a_text(pages):
    images = [image for page in pages.values() for image in page.all("img")]
    silent = [image["src"] for image in nonempty(images) if not image.get("alt")]
    # In the list of lessons each stands beside its title.
    assert silent == ["views/0_views-1.png", "pictures/1_text-2.png"]
    words = {image["src"]: image["alt"] for image in images if "output" in image.get("class", "")}
    assert words == {"pictures/1_text-1.png": "A graph", "pictures/1_text-2.png": "A < B"}


def test_the_sitemap_has_every_page_of_the_course(site):
    places = [
        each.text
        for each in ElementTree.parse(site / "sitemap.xml").iter()
        if each.tag.endswith("loc")
    ]
    paths = ["", "0_views.html", "1_text.html", "extra/notes.html"]
    assert places == [f"https://example.org/course/{path}" for path in paths]


def test_without_an_address_nothing_says_where_it_is(tmp_path, monkeypatch):
    site = built(tmp_path, monkeypatch, address=None).out
    assert not (site / "sitemap.xml").exists()
    text = (site / "0_views.html").read_text(encoding="utf-8")
    assert "example.org/course" not in text
    assert "iframe" not in text
    assert faults(site) == []


def test_a_view_says_how_to_embed_it_where_the_site_has_an_address(pages):
    lines = re.findall("<iframe .*?</iframe>", pages["0_views.html"].texts["pre"])
    sources = [re.search('src="(.+?)" title="[^"]+"', line)[1] for line in lines]
    assert sources == [f"https://example.org/course/{path}" for path in VIEW_PAGES]


def test_the_views_of_a_page_share_their_module_and_style(site):
    text = (site / "0_views.html").read_text(encoding="utf-8")
    states = re.findall(r'data-bpnb-view="(\w+)"><script type="text/plain">([^<]+)</script>', text)
    assert [kind for kind, _ in states] == list(VIEWS)
    state = json.loads(zlib.decompress(base64.b64decode(states[0][1])))
    assert "scene" in state
    for name in VIEWS:
        assert text.count(f'src="assets/{name}.js"') == text.count(f'href="assets/{name}.css"') == 1


def test_formulas_are_mathml(pages):
    page = pages["1_text.html"]
    assert len(page.all("math")) == 7
    assert "\\" not in page.texts["math"]
    assert "(loss)" in page.texts["span"]
    assert page.texts["code"].count("\\nosuchcommand{x}") == 1


def test_texts_of_a_learner_stay_texts(site, pages):
    text = (site / "1_text.html").read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert HOSTILE in pages["1_text.html"].texts["pre"]
    assert "<42>" in pages["1_text.html"].texts["pre"]


def test_a_lesson_leads_to_the_next_and_to_its_notebook(pages):
    links = {
        each.get("rel", each.get("href")): each["href"] for each in pages["0_views.html"].all("a")
    }
    assert links["next"] == "1_text.html"
    assert "prev" not in links
    assert links["0_views.ipynb"] == "0_views.ipynb"


def test_the_same_course_gives_the_same_bytes_and_leaves_other_files(small, tmp_path, monkeypatch):
    own = tmp_path / "site/CNAME"
    own.parent.mkdir()
    own.write_text("course.example.org", encoding="utf-8")
    again = built(tmp_path, monkeypatch)
    assert own.read_text(encoding="utf-8") == "course.example.org"
    for name in [*PAGES, *VIEW_PAGES, "sitemap.xml"]:
        assert (again.out / name).read_bytes() == (small.out / name).read_bytes()


def test_a_folder_that_does_not_fit_is_refused_before_anything_runs(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for out in (file, tmp_path / "new.ipynb"):
        with pytest.raises(bp.InvalidValueError, match="`OUT` must be a folder"):
            build(out, title=TITLE)
    with pytest.raises(bp.InvalidValueError, match="must be a folder with notebooks"):
        build(tmp_path / "site", title=TITLE, notebooks=tmp_path)
    (tmp_path / "index.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(bp.InvalidValueError, match=r"would become index\.html"):
        build(tmp_path / "site", title=TITLE, notebooks=tmp_path)
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
def test_the_courses_own_site_is_whole_and_small(tmp_path, capsys):
    assert main(["site", str(tmp_path / "site")]) == DONE, capsys.readouterr().out
    site = tmp_path / "site"
    assert faults(site) == []
    views = 0
    for path in lessons():
        page = site / f"{path.stem}.html"
        read = Read(page)
        loaded = [
            page,
            *(
                site / address
                for tag, address in read.addresses
                if tag in {"script", "link", "img"} and not address.startswith("data:")
            ),
        ]
        assert sum(each.stat().st_size for each in loaded) < 2_000_000
        assert "\\" not in read.texts.get("math", "")
        views += page.read_text(encoding="utf-8").count("data-bpnb-view=")
    assert views == len(list(site.glob("views/*.html"))) >= 10
