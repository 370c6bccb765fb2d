"""The trainer's page over its own sockets: who is let in, what is told, what is done, and what goes wrong."""

from __future__ import annotations

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import pytest
from k8swin_lab.workshop.model import State
from k8swin_lab.workshop.trainer import serve
from k8swin_lab.workshop.trainer_access import Access
from k8swin_lab.workshop.trainer_rows import link, moment, plain

from .seats_in_memory import InMemory

SECRET = "seat-secret-"
WAIT = 60


@pytest.fixture
def seats():
    made = InMemory()
    yield made
    made.let_go.set()


@pytest.fixture
def view(seats):
    with serve(seats) as made:
        yield made


class Browser:
    """Asks as a browser does: it keeps the cookie, and says from where it asks."""

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        self.folder = self.parts.path
        self.origin = f"http://{self.parts.netloc}"
        self.cookie = ""
        self.second = ""

    def ask(self, method: str, path: str, body: str = "", **headers: str):
        """Return status, headers and text; header names have `_` for `-`, and an empty one is left out."""
        sent = {
            "Cookie": self.cookie,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=WAIT)
        try:
            connection.request(
                method, path, body, {name: value for name, value in sent.items() if value}
            )
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode("utf-8")
        finally:
            connection.close()

    def enter(self) -> Browser:
        """Open the address with its token, and read the page."""
        status, headers, _ = self.ask("GET", f"{self.folder}?{self.parts.query}")
        assert (status, headers["Location"]) == (303, "./")
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        _, _, page = self.ask("GET", self.folder)
        self.second = page.partition('name="second" content="')[2].partition('"')[0]
        return self

    def post(self, path: str, given: object = None, **headers: str):
        """Change something, as the page does."""
        own = {"Origin": self.origin, "X_Trainer": self.second, **headers}
        return self.ask("POST", self.folder + path, json.dumps(given or {}), **own)

    def state(self) -> dict:
        """Return what the page is told."""
        return json.loads(self.ask("GET", f"{self.folder}state")[2])

    def seat(self, name: str) -> dict:
        """Return what the page is told of a seat."""
        return next((one for one in self.state().get("seats", []) if one["name"] == name), {})

    def doing(self, name: str) -> dict:
        """Return what a seat was asked; nothing before the page was told of it."""
        return self.seat(name).get("doing") or {"is": "", "what": "", "text": ""}

    def until(self, what: str, true) -> None:
        """Wait for something to be true."""
        end = time.monotonic() + WAIT
        while not true():
            assert time.monotonic() < end, f"{what}: {self.state()}"
            time.sleep(0.05)


@pytest.fixture
def browser(view):
    made = Browser(view.url).enter()
    made.until("seats are there", lambda: made.seat("seat-01"))
    return made


def test_nothing_of_a_seat_is_told_without_the_token(view, seats):
    stranger = Browser(view.url)
    seats.change("seat-01", error="CANARY-ERROR")
    paths = ["", "state", "live", "grades.csv", "nothing", "?token=wrong", "?token="]
    for folder in (stranger.folder, "/", "/0000/"):
        for path in paths:
            status, headers, text = stranger.ask("GET", folder + path)
            assert status in (200, 403, 404)
            assert not any(word in text for word in ("seat-", SECRET, "CANARY")), (folder, path)
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert headers["Referrer-Policy"] == "no-referrer"
    front = stranger.ask("GET", "/")[2]
    assert stranger.folder.strip("/") not in front
    assert stranger.parts.query.partition("=")[2] not in front


def test_the_cookie_is_no_token_and_holds_below_the_page_alone(view):
    browser = Browser(view.url)
    _, headers, _ = browser.ask("GET", f"{browser.folder}?{browser.parts.query}")
    cookie = headers["Set-Cookie"]
    token = browser.parts.query.partition("=")[2]
    assert token not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    # A browser takes the folder that it asked, which no seat on another port knows.
    assert "Path" not in cookie
    assert len(browser.folder.strip("/")) >= 22
    assert token not in browser.folder


def test_a_token_typed_into_the_form_opens_the_page(view):
    browser = Browser(view.url)
    form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": browser.origin}
    status, headers, _ = browser.ask("POST", "/enter", browser.parts.query, **form)
    assert status == 303
    assert f"/{headers['Location']}" == f"{browser.folder}?{browser.parts.query}"
    assert browser.ask("POST", "/enter", "token=wrong", **form)[0] == 403
    elsewhere = {**form, "Origin": "http://evil.example"}
    assert browser.ask("POST", "/enter", browser.parts.query, **elsewhere)[0] == 403


def test_a_token_that_can_be_guessed_is_refused(seats):
    with pytest.raises(ValueError, match="it takes 16 at least"):
        serve(seats, token="short")
    with serve(seats, token="a-token-of-a-trainer") as view:
        assert view.url.endswith("?token=a-token-of-a-trainer")
    assert Access("a-token-of-a-trainer").opens("a-token-of-a-trainer")
    assert not Access("a-token-of-a-trainer").opens("a-token-of-a-traineé")


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Trainer": ""},
        {"X_Trainer": "0" * 64},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:9"},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Cookie": "k8swin-trainer=no"},
    ],
)
def test_what_does_not_come_from_the_page_changes_nothing(browser, seats, headers):
    for path in ("seats/seat-01/reset", "seats/seat-01/drill", "seats/seat-01/grade", "all/grade"):
        status, _, text = browser.post(path, {"name": "hns-cut"}, **headers)
        assert status == 403
        assert "Load it again" in text
    assert browser.post("seats/seat-02/drill", {"name": "hns-cut"})[0] == 202
    browser.until("the drill is there", lambda: browser.seat("seat-02")["drills"])
    assert seats.asked == [("drill", "seat-02", "hns-cut")]


def test_another_page_cannot_listen(browser):
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }  # fmt: skip
    for origin in ("http://127.0.0.1:9", "", "http://evil.example"):
        status, _, text = browser.ask("GET", f"{browser.folder}live", Origin=origin, **upgrade)
        assert status == 403
        assert "seat-" not in text


def test_a_slow_reset_says_so_and_holds_up_no_other_seat(browser, seats):
    seats.let_go.clear()
    for place in range(1, 11):
        assert browser.post(f"seats/seat-{place:02}/reset", {"exercise": "ex3"})[0] == 202
    browser.until("it is at it", lambda: browser.doing("seat-10")["is"] == "running")
    assert browser.doing("seat-01")["what"] == "reset ex3"
    status, _, text = browser.post("seats/seat-01/drill", {"name": "hns-cut"})
    assert status == 409
    assert "seat-01 is still at `reset ex3`" in text
    seats.true["seat-11", "ex1"] = ()
    assert browser.post("seats/seat-11/grade")[0] == 202
    browser.until(
        "the grade is there", lambda: browser.seat("seat-11")["grades"][0]["is"] == "confirmed"
    )
    seats.let_go.set()
    browser.until("it was reset", lambda: browser.seat("seat-01")["exercise"] == "ex3")
    browser.until("that is said", lambda: browser.doing("seat-01")["is"] == "done")


def test_what_went_wrong_stands_beside_the_seat_until_it_was_seen(browser, seats):
    seats.broken["seat-04"] = "\x1b[31mthe lab of seat-04 has ended\x1b[0m; reset it"
    assert browser.post("seats/seat-04/drill", {"name": "hns-cut"})[0] == 202
    browser.until("it failed", lambda: browser.doing("seat-04")["is"] == "failed")
    assert browser.doing("seat-04")["text"] == "the lab of seat-04 has ended; reset it"
    assert browser.seat("seat-05")["doing"] is None
    assert browser.post("seats/seat-04/seen")[0] == 204
    browser.until("it is forgotten", lambda: browser.seat("seat-04")["doing"] is None)


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("seats/seat-99/reset", "{}", 404, "There is no seat seat-99"),
        ("seats/seat-01/reset", "[1]", 400, "A JSON object"),
        ("seats/seat-01/reset", "{", 400, "A JSON object"),
        ("seats/seat-01/drill", '{"name": 3}', 400, "A JSON object"),
        ("seats/seat-01/destroy", "{}", 404, ""),
        ("seats/seat-01/reset", '{"exercise": "' + "x" * 70_000 + '"}', 413, ""),
    ],
)
def test_a_request_that_makes_no_sense_is_told_so(browser, seats, path, body, status, says):
    own = {"Origin": browser.origin, "X_Trainer": browser.second}
    answer = browser.ask("POST", browser.folder + path, body, **own)
    assert answer[0] == status
    assert says in answer[2]
    assert seats.asked == []


def test_seats_that_cannot_be_looked_at_are_told_and_come_back(browser, seats):
    seats.blind = RuntimeError("<b>no answer</b>")
    browser.until(
        "that is told", lambda: "cannot be looked at: <b>no" in browser.state()["trouble"]
    )
    assert len(browser.state()["seats"]) == 20
    seats.blind = None
    browser.until("it is well again", lambda: not browser.state()["trouble"])


def test_the_grid_tells_what_was_said_from_what_is_confirmed(browser, seats):
    seats.change("seat-01", exercise="ex3", said="ex2: 4 of 4")
    seats.true["seat-01", "ex1"] = ()
    seats.grade("seat-01", "ex1")
    seats.grade("seat-01", "ex3")

    def grid() -> list[str]:
        return [one["is"] for one in browser.seat("seat-01")["grades"]]

    browser.until("the grid", lambda: grid()[:4] == ["confirmed", "said", "part", "none"])
    seats.change("seat-01", said="ex3: 1 of 4")
    browser.until("it is read", lambda: browser.seat("seat-01")["said"] == "ex3: 1 of 4")
    assert grid()[:4] == ["confirmed", "said", "part", "none"]
    # What a seat says of itself, and what is true from outside, are two things.
    seats.change("seat-02", said="ex1: 0 of 0")
    browser.until("it is read", lambda: browser.seat("seat-02")["said"])
    assert browser.seat("seat-02")["grades"][0]["is"] == "begun"
    # Who starts later than at the first has not begun what lies before.
    seats.change("seat-03", exercise="ex3", begun=("ex3",))
    browser.until("it is read", lambda: browser.seat("seat-03")["exercise"] == "ex3")
    assert [one["is"] for one in browser.seat("seat-03")["grades"]][:3] == ["none", "none", "begun"]


def test_all_seats_that_are_ready_are_looked_at(browser, seats):
    seats.change("seat-03", state=State.STOPPED)
    seats.change("seat-04", exercise="ex2")
    browser.until("it is seen", lambda: browser.seat("seat-03")["state"] == "stopped")
    browser.until("it is seen", lambda: browser.seat("seat-04")["exercise"] == "ex2")
    status, _, text = browser.post("all/grade")
    assert (status, json.loads(text)) == (202, {"begun": 19})
    browser.until("all are looked at", lambda: len(seats.asked) == 19)
    assert ("grade", "seat-04", "ex2") in seats.asked
    assert not [one for one in seats.asked if one[1] == "seat-03"]


def test_a_look_that_hangs_is_told_and_the_page_still_answers(seats):
    held = threading.Event()
    real = seats.status
    with serve(seats) as view:
        browser = Browser(view.url).enter()
        browser.until("seats are there", lambda: browser.seat("seat-01"))
        seats.status = lambda: (held.wait(WAIT) and []) or real()
        browser.until("that is told", lambda: "have not answered" in browser.state()["trouble"])
        assert browser.post("seats/seat-01/drill", {"name": "hns-cut"})[0] == 202
        held.set()
    view.close()  # twice is no harm


def test_hostile_text_is_one_short_line_without_signs_that_are_not_seen():
    assert plain("\x1b[31mred\x1b[0m\n\x1b]0;title\x07two\r\nlines") == "red two lines"
    assert plain("a\u202eb\x00\u200b") == "a<U+202E>b<U+0000><U+200B>"
    assert plain("<b>&amp;") == "<b>&amp;"
    assert plain("x" * 1_000_000) == "x" * 400 + "… (1,000,000 characters)"
    assert plain("\ud800") == "<U+D800>"
    assert len(plain("\x1b]" + "x" * 1_000_000)) < 500


def test_addresses_of_seats_are_those_of_the_web_alone():
    assert link("http://host:1/lab?token=x") == "http://host:1/lab?token=x"
    for bad in ("javascript:alert(1)", "data:text/html,x", "//host", "http:x", "http://[", ""):
        assert link(bad) == ""
    assert moment("no time") is None
    assert moment("2026-12-01T00:00:00Z") == 1796083200
