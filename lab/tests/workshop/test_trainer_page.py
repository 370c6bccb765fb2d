"""The trainer's page in a real browser: live, by keyboard, in both themes, on small screens, and when its server ends."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest
from k8swin_lab.workshop.model import State
from k8swin_lab.workshop.trainer import serve

from .seats_in_memory import InMemory

CHROMIUM = (
    os.environ.get("K8SWIN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
)
pytestmark = [
    pytest.mark.skipif(not find_spec("playwright"), reason="no playwright"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium; K8SWIN_CHROMIUM names one"),
]
WAIT = 60_000
HOSTILE = (
    "\x1b[31m<img src=x onerror='window.hurt=1'><script>window.hurt=1</script>\x1b[0m \u202e"
    + "y" * 1_000_000
)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def seats():
    """Twenty seats in all states, at all exercises."""
    made = InMemory()
    for place in range(1, 21):
        name = f"seat-{place:02}"
        made.change(name, exercise=f"ex{1 + place % 7}", used_bytes=place * 37_000_000)
        made.true[name, "ex1"] = ()
        made.grade(name, "ex1")
    made.change("seat-03", state=State.FAILED, error="JupyterLab ended with exit code 137")
    made.change("seat-05", said="ex6: 4 of 4", error=HOSTILE, drills=("hns-cut", "dns-silent"))
    made.change("seat-09", state=State.STOPPED, error="its folder held more than 4 GiB")
    made.asked.clear()
    yield made
    made.let_go.set()


@pytest.fixture
def view(seats):
    with serve(seats) as made:
        yield made


@pytest.fixture
def opened(chromium, view):
    """Opens pages, each in a browser's own memory; what goes wrong in their scripts fails the test."""
    contexts, wrong = [], []

    def open_page(width=1280, theme="light", **how):
        size = {"width": width, "height": 800}
        context = chromium.new_context(viewport=size, color_scheme=theme, **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(view.url)
        if how.get("java_script_enabled", True):
            page.wait_for_selector("#rows tr:nth-child(20)")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1000])
def test_twenty_seats_fit_on_one_screen(opened, width, theme):
    page = opened(width, theme)
    sizes = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert page.evaluate(sizes) == [width, 800]
    region = page.locator("#seats")
    assert region.evaluate("one => one.scrollWidth <= one.clientWidth")
    last = page.locator("#rows tr:nth-child(20)").get_by_role("link", name="Open")
    box = last.bounding_box()
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 800


@pytest.mark.skipif(not find_spec("axe_playwright_python"), reason="no axe-playwright-python")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_page_and_its_dialogs(opened, theme):
    from axe_playwright_python.sync_playwright import Axe

    wanted = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"],
        "resultTypes": ["violations"],
    }

    def found(page) -> list[str]:
        given = Axe().run(page, options=wanted).response["violations"]
        return [f"{one['id']}: {node['html'][:200]}" for one in given for node in one["nodes"]]

    page = opened(1280, theme, bypass_csp=True)  # axe is a script of another place
    assert found(page) == []
    page.get_by_role("button", name="Reset… seat-05").click()
    assert found(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="seat-05", exact=True).click()
    assert found(page) == []


def test_what_a_seat_says_is_text(opened):
    page = opened()
    cell = page.locator("#rows tr:nth-child(5) .text")
    assert "<img src=x onerror=" in cell.inner_text()
    page.get_by_role("button", name="seat-05", exact=True).click()
    said = page.locator("#more-facts").inner_text()
    assert "<script>" in said
    assert "<U+202E>" in said
    assert "\x1b" not in said
    assert page.evaluate("window.hurt") is None
    assert len(page.content()) < 200_000


def test_a_change_in_a_seat_comes_by_itself_and_leaves_the_focus(opened, seats):
    pages = [opened() for _ in range(8)]
    button = pages[0].get_by_role("button", name="Drill… seat-02")
    button.focus()
    seats.change("seat-02", exercise="ex9", error="something new")
    for page in pages:
        page.wait_for_selector("#rows tr:nth-child(2) >> text=something new")
    assert button.evaluate("one => one === document.activeElement")
    before = seats.looks
    pages[0].wait_for_timeout(3000)
    assert seats.looks - before < 8  # one look for all pages


def test_many_pages_in_one_browser_are_all_alive(opened, view, seats):
    first = opened()
    pages = [first.context.new_page() for _ in range(11)]
    for page in pages:
        page.goto(view.url)
        page.wait_for_selector("#rows tr:nth-child(20)")
    seats.change("seat-01", error="told to all")
    for page in [first, *pages]:
        page.wait_for_selector("#rows >> text=told to all")


def test_a_drill_by_keyboard_alone(opened, seats):
    page = opened()
    page.get_by_role("button", name="Drill… seat-02").focus()
    page.keyboard.press("Enter")
    assert page.locator("#ask-choice").evaluate("one => one === document.activeElement")
    page.keyboard.press("ArrowDown")
    assert "DNS does not answer" in page.locator("#ask-text").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rows tr:nth-child(2) .drills >> text=dns-silent")
    assert ("drill", "seat-02", "dns-silent") in seats.asked
    told = "document.getElementById('told').textContent.includes('dns-silent is broken')"
    page.wait_for_function(told)


def test_a_reset_says_what_is_lost_and_how_far_it_is(opened, seats):
    page = opened()
    page.get_by_role("button", name="Reset… seat-05").click()
    asked = page.locator("#ask").inner_text()
    for words in ("everything that was done", "hns-cut, dns-silent", "notebooks and files stay"):
        assert words in asked
    page.get_by_role("button", name="Leave it").click()
    assert seats.asked == []
    seats.let_go.clear()
    page.get_by_role("button", name="Reset… seat-05").click()
    page.locator("#ask-choice").select_option("ex2")
    page.get_by_role("button", name="Reset it").click()
    row = page.locator("#rows tr:nth-child(5)")
    row.get_by_text("reset ex2: at it for").wait_for()
    row.get_by_role("button", name="Grade").click(force=True)
    page.locator("#trouble").get_by_text("is still at").wait_for()
    assert seats.asked == [("reset", "seat-05", "ex2")]
    page.get_by_role("button", name="Grade seat-06").click()
    page.locator("#rows tr:nth-child(6) .text").get_by_text("2 of 4 conditions").wait_for()
    seats.let_go.set()
    row.get_by_text("reset to where ex2 begins").wait_for()


def test_the_error_of_an_action_stands_beside_its_seat(opened, seats):
    seats.broken["seat-07"] = "the lab of seat-07 does not answer; reset it"
    page = opened()
    page.get_by_role("button", name="Grade seat-07").click()
    row = page.locator("#rows tr:nth-child(7)")
    row.get_by_text("failed: the lab of seat-07 does not answer; reset it").wait_for()
    row.get_by_role("button", name="Clear").click()
    row.locator(".text.bad").wait_for(state="detached")


def test_a_seat_opens_in_a_tab_that_knows_nothing_of_the_page(opened):
    link = opened().get_by_role("link", name="Open seat-01 in a new tab")
    assert "token=seat-secret-seat-01" in link.get_attribute("href")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_another_port_of_the_host_gets_no_cookie(opened, view):
    """A trainee has all power over what his own port answers."""
    page = opened()
    host = view.url.split("/")[2]
    assert page.context.cookies(f"http://{host}/") == []
    assert page.context.cookies("http://127.0.0.1:9/lab") == []
    assert len(page.context.cookies(view.url)) == 1


def test_a_page_whose_server_ends_says_so_and_offers_nothing(opened, seats, view):
    page = opened()
    view.close()
    page.locator("#trouble").get_by_text("was stopped").wait_for()
    page.get_by_role("button", name="Grade seat-01").click(force=True)
    assert seats.asked == []
    assert page.locator("#rows tr").count() == 20


def test_a_page_goes_on_when_its_server_is_back(opened, seats, view):
    page = opened()
    token, port = view.url.rpartition("=")[2], int(view.url.split("/")[2].rpartition(":")[2])
    view.close()
    page.locator("#trouble").get_by_text("was stopped").wait_for()
    seats.change("seat-01", error="meanwhile")
    with serve(seats, port=port, token=token):
        page.wait_for_selector("#rows >> text=meanwhile")
        page.locator("#trouble").wait_for(state="hidden")


def test_where_no_web_socket_gets_through_the_page_asks_again(opened, seats):
    page = opened()
    page.route("**/live", lambda route: route.abort())
    page.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose(), 10); } };"
    )
    page.reload()
    page.wait_for_selector("#rows tr:nth-child(20)")
    seats.change("seat-01", error="by asking")
    page.wait_for_selector("#rows >> text=by asking")
    assert page.locator("#trouble").is_hidden()


def test_without_scripts_there_is_a_table(opened, seats):
    page = opened(java_script_enabled=False)
    # It loads itself again until the seats were looked at. Playwright's `text=` finds nothing within a noscript.
    page.wait_for_selector("xpath=//th[.='seat-20']")
    text = page.locator("table").first.inner_text()
    assert "<img src=x onerror=" in text
    assert "JupyterLab ended with exit code 137" in text
    # No button that does nothing.
    assert not [button for button in page.locator("button").all() if button.is_visible()]


def test_grades_are_downloaded_as_csv(opened):
    page = opened()
    with page.expect_download() as download:
        page.get_by_role("link", name="Grades as CSV").click()
    assert download.value.suggested_filename == "workshop-grades.csv"
    assert download.value.path().read_bytes().startswith(b"\xef\xbb\xbfseat,state,")
