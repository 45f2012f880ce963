"""The site of a course, opened from disk with the network off: every view steps."""

import pytest
from accessibility import violations
from every_view import KEYS, VIEWS
from page_tools import expect
from small_course import built

THERE = """() => [...document.querySelectorAll("[data-bpnb-view]")]
    .every(place => place.querySelector(".bpnb"))"""
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 20, 24)"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return built(tmp_path_factory.mktemp("course"), patch).out


@pytest.fixture
def open_site(open_page, site):
    """A function that opens a page of the site, and waits for its views."""

    def open_one(name, theme="light", width=1400, **options):
        page = open_page(site / name, theme, width, within=site, **options)
        if options.get("java_script_enabled", True):
            page.wait_for_function(THERE)
        return page

    return open_one


def test_every_view_of_a_lesson_steps_by_keyboard(open_site):
    page = open_site("0_views.html")
    places = page.locator("[data-bpnb-view]")
    assert places.evaluate_all("all => all.map(each => each.dataset.bpnbView)") == list(VIEWS)
    for name in VIEWS:
        view = page.locator(f"[data-bpnb-view='{name}']")
        said = view.locator(".bpnb-live")
        before = said.inner_text()
        view.locator(".bpnb").focus()
        page.keyboard.press(KEYS.get(name, "]"))
        expect(said).not_to_have_text(before)


@pytest.mark.parametrize("number", range(1, len(VIEWS) + 1))
def test_a_view_steps_in_a_page_that_embeds_its_own(open_page, site, tmp_path, number):
    source = (site / f"views/0_views-{number}.html").as_uri()
    text = (
        f'<!doctype html><iframe title="A view" width="1100" height="700" src="{source}"></iframe>'
    )
    host = tmp_path / "host.html"
    host.write_text(text, encoding="utf-8")
    page = open_page(host, within=site / "views")
    frame = page.frame_locator("iframe")
    said = frame.locator(".bpnb-live")
    before = said.text_content()
    frame.locator(".bpnb").focus()
    page.keyboard.press(KEYS.get(list(VIEWS)[number - 1], "]"))
    expect(said).not_to_have_text(before)


@pytest.mark.parametrize(
    ("name", "theme", "width"),
    [
        ("index.html", "light", 700),
        ("index.html", "dark", 1400),
        ("0_views.html", "light", 1400),
        ("0_views.html", "dark", 700),
        ("1_text.html", "dark", 1280),
        ("1_text.html", "light", 700),
        ("extra/notes.html", "dark", 700),
    ],
)
def test_nobody_is_kept_out_and_nothing_is_too_wide(open_site, name, theme, width):
    page = open_site(name, theme, width)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == PAPER[theme]


def test_a_reader_chooses_the_theme_and_it_stays(open_site):
    page = open_site("0_views.html", "dark")
    view = page.locator(".bpnb").first
    for theme, paper in (
        ("light", PAPER["light"]),
        ("dark", PAPER["dark"]),
        ("light", PAPER["light"]),
    ):
        page.get_by_label("Theme").select_option(theme)
        expect(page.locator("body")).to_have_css("background-color", paper)
        expect(view).to_have_css("background-color", paper)
    page.get_by_label("Theme").select_option("")
    expect(view).to_have_css("background-color", PAPER["dark"])


def test_a_picture_of_the_library_is_dark_where_the_page_is(open_site):
    filters = "all => all.map(each => getComputedStyle(each).filter)"
    for theme in ("dark", "light"):
        for name, place in (("1_text.html", ".bpnb-on-light"), ("index.html", ".glance")):
            (found,) = set(open_site(name, theme).locator(f"img{place}").evaluate_all(filters))
            assert found.startswith("invert" if theme == "dark" else "none")
    # Of others nobody knows what they show.
    others = open_site("1_text.html", "dark").locator("img:not(.bpnb-on-light)")
    assert set(others.evaluate_all(filters)) == {"none"}


def test_the_first_stop_skips_to_the_lesson(open_site):
    page = open_site("1_text.html")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("each => each === document.activeElement")
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.locator("main").evaluate("each => each === document.activeElement")


def test_an_answer_folds(open_site):
    page = open_site("1_text.html")
    answer = page.locator("details p").filter(has_text="folds")
    expect(answer).to_be_hidden()
    page.get_by_text("Answer").click()
    expect(answer).to_be_visible()
    assert answer.locator("math").bounding_box()["width"] > 0


def test_what_is_too_wide_can_be_reached_by_keyboard(open_site):
    page = open_site("1_text.html", width=700)
    wide = page.locator("pre[tabindex='0']")
    assert wide.count() >= 1
    assert wide.first.evaluate("each => each.scrollWidth > each.clientWidth")


def test_on_paper_each_view_is_its_picture_in_dark_ink(open_site):
    page = open_site("0_views.html", "dark")
    page.emulate_media(media="print")
    shown = "all => all.map(each => getComputedStyle(each).display)"
    assert page.locator(".place").evaluate_all(shown) == ["none"] * len(VIEWS)
    assert page.locator(".print").evaluate_all(shown) == ["block"] * len(VIEWS)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 32, 39)"


def test_without_scripts_the_pictures_and_the_words_are_shown(open_site, site):
    page = open_site("0_views.html", java_script_enabled=False)
    pictures = page.locator(".place img")
    assert pictures.count() == len(VIEWS)
    assert pictures.first.bounding_box()["width"] > 600
    assert page.get_by_label("Theme").is_hidden()
    page.get_by_text("The same in words").first.click()
    assert page.locator("details pre").first.inner_text().strip()
