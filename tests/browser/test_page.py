"""The page of a whole build in a real browser: legible in both themes and at every width, whole on paper, and as a PDF.

The build is one of the lab, in a folder of this test's own; `K8SWIN_RUN` names the folder of a recorded one instead.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from k8swin_nb.errors import ParamsError, RecordError
from k8swin_nb.headless import pdf
from k8swin_nb.headless.pdf import find_program, print_pdf
from k8swin_nb.headless.run_page import write_run_page
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.notebook, pytest.mark.timeout(900)]

SHEETS = {"A4": 22, "Letter": 23}
"""Sheets that a build may take."""

PIXELS = {"A4": 725, "Letter": 748}
"""Width of what is printed on a sheet, in pixels of CSS."""


@pytest.fixture(scope="module")
def program() -> str:
    try:
        return find_program()
    except ParamsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The page of a build."""
    if named := os.environ.get("K8SWIN_RUN"):
        return write_run_page(Path(named))[0]
    runs = tmp_path_factory.mktemp("runs")
    names = "import sys, k8swin_lab.demo as d; d.NOTEBOOKS += ',06_verify'; sys.exit(d.main(sys.argv[1:]))"
    command = [
        sys.executable,
        "-c",
        names,
        "--notebooks",
        str(ROOT / "notebooks"),
        "--runs",
        str(runs),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (folder,) = runs.iterdir()
    return folder / "index.html"


@pytest.fixture
def browser_page(program, built):
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(built.as_uri())
        yield page
        browser.close()


@pytest.mark.parametrize("size", sorted(SHEETS))
def test_a_build_prints_on_few_sheets_with_its_scripts_open_and_its_pages_numbered(
    program, built, size
):
    path = print_pdf(built, size=size)
    raw = path.read_bytes()
    sheets = len(re.findall(rb"/Type /Page\b(?!s)", raw))
    assert 5 < sheets <= SHEETS[size]
    assert b"/StructTreeRoot" in raw and b"/Outlines" in raw
    assert b"file://" not in raw
    if not find_spec("pypdf"):
        pytest.skip("pypdf is not installed, which reads the words of a PDF")
    import pypdf

    pages = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    assert len(pages) == sheets
    for number, text in enumerate(pages, 1):
        assert f"{number} / {sheets}" in text and f"Run {built.parent.name}" in text
    assert "is done" in pages[0] and "3 Ready" in pages[0] and "Did not run" in pages[0]
    words = re.sub(r"\s+", "", "".join(pages))
    # Of a script that changes something its last words, of a function that several share its name, of a check its name alone.
    assert "linux/swap.apply.sh" in words and 'echo"swapisoff"' in words
    assert "linux/swap.check.sh" in words and words.count("note_written(){") == 1


@pytest.mark.parametrize("size", sorted(PIXELS))
def test_nothing_is_wider_than_the_sheet_and_nothing_smaller_than_can_be_read(browser_page, size):
    browser_page.emulate_media(media="print")
    browser_page.set_viewport_size({"width": PIXELS[size], "height": 1000})
    found = browser_page.evaluate(
        """() => {
            const edge = document.documentElement.clientWidth + 1, wide = [], small = [];
            for (const one of document.querySelectorAll("main *")) {
                if (!one.checkVisibility()) continue;
                const text = [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim());
                if (!text) continue;
                const box = document.createRange();
                box.selectNodeContents(one);
                // Columns that do not fit in the one sheet of this view stand beside it.
                if (!one.closest(".cols, #cells") && box.getBoundingClientRect().right > edge) wide.push(one.outerHTML.slice(0, 200));
                const least = one.closest(".src") ? 9.33 : 9.99;
                if (parseFloat(getComputedStyle(one).fontSize) < least) small.push(one.outerHTML.slice(0, 200));
            }
            // A table that is wider than its column makes a browser print the whole page smaller.
            for (const one of document.querySelectorAll("main table"))
                if (one.checkVisibility() && one.getBoundingClientRect().width > one.parentElement.getBoundingClientRect().width + 1)
                    wide.push(one.outerHTML.slice(0, 200));
            return {wide, small};
        }"""
    )
    assert found == {"wide": [], "small": []}
    shown = browser_page.evaluate(
        "() => [...document.querySelectorAll('.paper-open > pre')].map(one => one.checkVisibility())"
    )
    assert len(shown) > 30 and all(shown)


def test_on_the_screen_scripts_are_closed_and_a_link_opens_one(browser_page):
    closed = browser_page.locator("details.paper-open > pre").first
    assert not closed.is_visible()
    name = closed.evaluate("one => one.parentElement.id")
    browser_page.locator(f"a[href='#{name}']").first.focus()
    browser_page.keyboard.press("Enter")
    closed.wait_for(state="visible")


@pytest.mark.parametrize("width", [320, 768, 1600])
def test_the_page_is_never_wider_than_the_window_and_begins_with_the_verdict(browser_page, width):
    browser_page.set_viewport_size({"width": width, "height": 900})
    assert browser_page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert browser_page.locator("h1").bounding_box()["y"] < 100
    if width > 700:
        seal = browser_page.locator("header .facts tr").last.bounding_box()
        assert seal["y"] + seal["height"] < 900


@pytest.mark.parametrize("font", ["", "serif", "monospace"])
def test_what_is_clicked_is_24_pixels_high_and_wide_whatever_the_font(browser_page, font):
    browser_page.evaluate(
        "() => document.querySelectorAll('details').forEach(one => { one.open = true; })"
    )
    for width, size in ((400, 10), (800, 15), (1280, 22)):
        browser_page.set_viewport_size({"width": width, "height": 900})
        looks = (
            f"body{{font-size:{size}px!important}}"
            + f"*{{font-family:{font}!important}}" * bool(font)
        )
        found = browser_page.evaluate(
            """looks => {
                const style = document.createElement("style");
                style.textContent = looks;
                document.head.append(style);
                const all = [...document.querySelectorAll("a, summary")].filter(one => one.checkVisibility());
                const small = all.filter(one => {
                    const box = one.getBoundingClientRect();
                    return Math.min(box.width, box.height) < 24;
                }).map(one => one.outerHTML.slice(0, 120));
                style.remove();
                return {all: all.length, small: small.slice(0, 5)};
            }""",
            looks,
        )
        assert found["all"] > 100 and found["small"] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_to_say_in_either_theme(browser_page, theme):
    if not find_spec("axe_playwright_python"):
        pytest.skip("axe-playwright-python is not installed")
    from axe_playwright_python.sync_playwright import Axe

    browser_page.emulate_media(color_scheme=theme)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(browser_page, options={"runOnly": {"type": "tag", "values": tags}})
    told = [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in results.response["violations"]
    ]
    assert told == []


@pytest.mark.parametrize(
    ("names", "size"),
    [
        ({"LANG": "en_US.UTF-8"}, "Letter"),
        ({"LANG": "en_US.UTF-8", "LC_PAPER": "de_DE.UTF-8"}, "A4"),
        ({"LC_ALL": "fr_CA", "LC_PAPER": "de_DE.UTF-8"}, "Letter"),
        ({"LC_ALL": "", "LANG": "C.UTF-8"}, "A4"),
        ({}, "A4"),
    ],
)
def test_the_sheet_is_that_of_the_country(names, size):
    assert pdf.size_here(names) == size


def test_without_a_program_that_prints_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "_ELSEWHERE", ())
    with pytest.raises(ParamsError, match="no Chromium, Chrome or Edge") as caught:
        find_program({"PATH": str(tmp_path)})
    assert "K8SWIN_CHROMIUM" in caught.value.hint
    with pytest.raises(ParamsError, match="names `gone`, which is no program"):
        find_program({"PATH": str(tmp_path), "K8SWIN_CHROMIUM": "gone"})


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("echo cannot start >&2; exit 1", "printed no PDF: cannot start"),
        ("sleep 600", "did not print within 1 s"),
        (
            'for a; do case $a in --print-to-pdf=*) printf "%%PDF-1.4 half" >"${a#*=}";; esac; done',
            "printed no PDF",
        ),
    ],
)
def test_a_pdf_is_written_whole_or_the_old_one_stays(tmp_path, monkeypatch, does, said):
    fake = tmp_path / "chromium"
    fake.write_text(f"#!/bin/sh\n{does}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("K8SWIN_CHROMIUM", str(fake))
    (tmp_path / "index.html").write_text("<html><head></head><body></body></html>")
    (tmp_path / "index.pdf").write_text("the old one")
    with pytest.raises(RecordError, match=said):
        print_pdf(tmp_path / "index.html", seconds=1 if "sleep" in does else 60)
    assert (tmp_path / "index.pdf").read_text() == "the old one"
    assert not list(tmp_path.glob(".page-*"))
