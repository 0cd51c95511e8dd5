"""The components in a real frame: they work by mouse and keyboard, follow the theme, and axe finds nothing."""

import pytest

from tests.support.axe import violations
from tests.support.browser import keep
from tests.web.gallery import DARK, FILES, LIGHT, THEMES

pytestmark = pytest.mark.browser

SMALL = {"width": 360, "height": 740}
LARGE = {"width": 1200, "height": 900}


@pytest.fixture(scope="module")
def gallery(raised, profile):
    """One page for the module; what a test changes it puts back by showing the page anew."""
    page = profile.new_page()
    frame = raised.show(page, raised.publish(FILES), theme=LIGHT)
    frame.wait_for_selector("html[data-shown]")
    return page, frame


@pytest.fixture
def shown(gallery):
    page, frame = gallery
    page.set_viewport_size(LARGE)
    page.evaluate("frame.style.width = '100%'")
    frame.hover("h1")  # what is under the pointer looks otherwise, even after the pointer has left the frame
    frame.evaluate("() => { seen.length = 0; form.reset(); document.activeElement?.blur(); }")
    return page, frame


def wear(page, frame, theme):
    """The frame in a theme: what axe sees is what was asked for."""
    page.evaluate("(theme) => handle.setTheme(theme)", THEMES[theme])
    worn = "(theme) => oriel.context.theme.scheme === theme.scheme && !oriel.context.theme.tokens === !theme.tokens"
    frame.wait_for_function(worn, arg=THEMES[theme])


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(shown, size):
    page, frame = shown
    page.set_viewport_size(size)
    frame.wait_for_function("(width) => innerWidth <= width", arg=size["width"])
    wear(page, frame, "light")
    keep(page, "components", "light", str(size["width"]))
    assert violations(frame) == []
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("theme", [theme for theme in THEMES if theme != "light"])
def test_there_is_contrast_enough_in_every_theme(shown, theme):
    page, frame = shown
    wear(page, frame, theme)
    keep(page, "components", theme)
    assert violations(frame, "color-contrast") == []


def test_axe_would_find_something(shown):
    _, frame = shown
    frame.evaluate("""() => {
      const bad = '<p class=bad>dim</p><img class=bad src=x>';
      document.querySelector('main').insertAdjacentHTML('beforeend', bad);
      document.querySelector('p.bad').style.cssText = 'color: #888; background: #999';
    }""")
    try:
        assert {found for found, _ in violations(frame)} == {"image-alt", "color-contrast"}
        assert [found for found, _ in violations(frame, "color-contrast")] == ["color-contrast"]
    finally:
        frame.evaluate("document.querySelectorAll('.bad').forEach((one) => one.remove())")


def test_fields_take_part_in_their_form(shown):
    _, frame = shown
    frame.evaluate("document.querySelector('[name=remarks]').problem = ''")
    frame.click("#save")
    assert frame.evaluate("seen") == []  # the customer is missing
    help_text = "document.querySelector('[name=customer]').shadowRoot.getElementById('help').className"
    assert frame.evaluate(help_text) == "problem"
    frame.get_by_label("Customer").fill("Bergen Fisk AS")
    frame.get_by_label("Gate (optional)").select_option("1")
    frame.get_by_label("Tell the driver").uncheck()
    frame.click("#save")
    sent = {"customer": "Bergen Fisk AS", "gate": "1", "pallets": "4", "remarks": ""}
    assert frame.evaluate("seen") == [["submit", sent]]


def test_enter_in_a_field_submits_as_in_any_form(shown):
    page, frame = shown
    frame.evaluate("document.querySelector('[name=remarks]').problem = ''")
    frame.get_by_label("Customer").fill("Bergen Fisk AS")
    page.keyboard.press("Enter")
    assert [name for name, _ in frame.evaluate("seen")] == ["submit"]


def test_a_busy_and_a_disabled_button_cannot_be_pressed(shown):
    _, frame = shown
    frame.evaluate("save.toggleAttribute('busy', true)")
    frame.evaluate("() => { save.addEventListener('click', () => seen.push(['pressed', null])); save.click(); }")
    assert frame.get_by_role("button", name="Plan it").is_disabled()
    frame.evaluate("save.toggleAttribute('busy', false)")
    assert "pressed" not in [name for name, _ in frame.evaluate("seen")]


def orders(frame):
    return frame.evaluate("[...table.shadowRoot.querySelectorAll('tbody th')].map(({ textContent }) => textContent)")


def test_a_table_sorts_by_keyboard_and_says_how(shown):
    page, frame = shown
    frame.get_by_role("button", name="Pallets").first.focus()
    page.keyboard.press("Enter")
    assert orders(frame) == ["N-1040", "N-1041", "N-1039"]
    page.keyboard.press("Enter")  # the focus is where it was
    assert orders(frame) == ["N-1039", "N-1041", "N-1040"]
    head = "table.shadowRoot.querySelector('[aria-sort=descending]').textContent"
    assert frame.evaluate(head) == "Pallets"


def test_rows_are_chosen_and_more_are_asked_for(shown):
    page, frame = shown
    frame.get_by_role("row", name="N-1040").click()
    frame.get_by_role("row", name="N-1041").focus()
    page.keyboard.press("Enter")
    frame.get_by_role("button", name="Show more").click()
    assert frame.evaluate("seen") == [["oriel-row", "N-1040"], ["oriel-row", "N-1041"], ["oriel-more", None]]


def test_what_looks_like_markup_stays_text(shown):
    _, frame = shown
    assert frame.evaluate("table.shadowRoot.querySelector('td b')") is None
    assert frame.get_by_text("<b>Tromsø & Co</b>").count() == 1


def test_a_chart_has_its_figures_in_words_and_as_a_table(shown):
    _, frame = shown
    said = frame.evaluate("bars.shadowRoot.querySelector('svg').getAttribute('aria-label')")
    assert said == "Minutes at the gate. Minutes: 9 min to 41 min, last 9 min"
    assert frame.evaluate("bars.shadowRoot.querySelectorAll('tbody tr').length") == 4
    assert frame.evaluate("lines.shadowRoot.querySelectorAll('polyline').length") == 3  # a gap parts a line in two


def test_a_chart_tells_the_values_under_the_pointer(shown):
    _, frame = shown
    frame.locator("#bars svg").hover(position={"x": 70, "y": 60})
    assert frame.evaluate("bars.shadowRoot.querySelector('.tip').textContent") == "Gate 114 min"


def test_a_toast_is_said_and_closes(shown):
    _, frame = shown
    frame.evaluate("note.show('Saved.', 'success')")
    assert frame.get_by_role("status").filter(has_text="Saved.").count() == 1
    frame.locator("#note").get_by_role("button", name="Close").click()
    assert frame.evaluate("note.hasAttribute('open')") is False
    frame.evaluate("note.show('Planned.', 'success')")


def test_the_products_colours_are_the_components(shown):
    page, frame = shown
    colour = "getComputedStyle(save.shadowRoot.querySelector('button')).backgroundColor"
    page.evaluate("(theme) => handle.setTheme(theme)", LIGHT)
    frame.wait_for_function(f"() => {colour} === 'rgb(11, 110, 105)'")
    page.evaluate("(theme) => handle.setTheme(theme)", DARK)
    frame.wait_for_function(f"() => {colour} === 'rgb(86, 199, 191)'")
