"""The trainer's view: one page with all seats, live, with what a trainer does to them.

`serve` gives it away in a thread of its own. The page is HTML, a style and a script that stand beside this module; what
it shows comes as JSON through a web socket (a browser opens few connections of other kinds to one server, and a trainer
has many pages open), or is fetched again and again where something between lets none through. Without scripts it is a
table that loads itself again.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import io
import json
import logging
import threading
import time
from collections.abc import Callable
from importlib import resources
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from k8swin_lab.workshop.grades import write_csv
from k8swin_lab.workshop.model import SeatError, Seats, SeatStatus, State
from k8swin_lab.workshop.trainer_access import FOR_CHANGES, Access, guarded, same_origin
from k8swin_lab.workshop.trainer_actions import Actions, Busy
from k8swin_lab.workshop.trainer_rows import Rows, plain

EVERY = 1.0
"""Seconds between two looks at the seats while a page is open."""

_LOG = logging.getLogger(__name__)
_TYPES = {"style.css": "text/css", "script.js": "text/javascript"}
_BODY = 64 * 1024
_WRONG_TOKEN = 0.5


class TrainerView:
    """The page while it is served. Made by `serve`."""

    def __init__(self, seats: Seats, access: Access) -> None:
        self._seats = seats
        self._access = access
        self._rows = Rows(seats.exercises(), seats.drills())
        self._actions = Actions(self._look_now)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="trainer")
        self._last: list[SeatStatus] = []
        self._text = ""
        self._version = 0
        self._open: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None
        self._closed = False
        self.url = ""
        """Where the page is, with its token."""

    def _begin(self, address: str, port: int) -> None:
        self._thread.start()
        try:
            bound = self._call(self._listen(address, port))
        except BaseException:
            self._stop()
            raise
        host = f"[{address}]" if ":" in address else address
        self.url = f"http://{host}:{bound}/{self._access.path}/?token={self._access.token}"

    async def _listen(self, address: str, port: int) -> int:
        self._news = asyncio.Condition()
        self._due = asyncio.Event()
        app = web.Application(middlewares=[guarded], client_max_size=_BODY)
        app.router.add_get("/", self._front)
        app.router.add_post("/enter", self._enter)
        app.router.add_get("/{path}/", self._page)
        app.router.add_get("/{path}/state", self._state)
        app.router.add_get("/{path}/live", self._live)
        app.router.add_get("/{path}/grades.csv", self._csv)
        app.router.add_get("/{path}/{name:style.css|script.js}", self._file)
        app.router.add_post("/{path}/all/grade", self._grade_all)
        app.router.add_post("/{path}/seats/{seat}/{what:drill|reset|grade|seen}", self._ask)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, address, port)
        await site.start()
        self._looking = asyncio.create_task(self._look())
        return int(self._runner.addresses[0][1])

    def close(self) -> None:
        """Tell open pages that the server ends, and stop. What still runs in a seat is not waited for."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception):
            self._call(self._end())
        self._stop()

    def __enter__(self) -> TrainerView:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _end(self) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.gather(*map(_goodbye, list(self._open)), return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()

    # Looking at the seats: one look for all pages, and none while no page is open.

    def _look_now(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has stopped
            self._loop.call_soon_threadsafe(self._due.set)

    async def _look(self) -> None:
        seats: asyncio.Future[list[SeatStatus]] | None = None
        began, told = 0.0, ""
        while True:
            trouble = ""
            if seats is None:
                seats, began = _in_thread(self._loop, self._seats.status), time.monotonic()
            done, _ = await asyncio.wait([seats], timeout=EVERY)
            if done:
                try:
                    self._last = seats.result()
                except Exception as error:  # the page says whatever it is, and goes on
                    trouble = f"The seats cannot be looked at: {error or type(error).__name__}"
                seats = None
            elif time.monotonic() - began > 5 * EVERY:
                trouble = f"The seats have not answered for {int(time.monotonic() - began)} s; shown is what they said before."
            document = self._rows.document(self._last, self._actions.doing(), trouble)
            same = json.dumps({**document, "now": 0})
            if same != told:
                told = same
                async with self._news:
                    self._text = json.dumps(document)
                    self._version += 1
                    self._news.notify_all()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), EVERY if self._open else 5 * EVERY)
            self._due.clear()

    # Letting in.

    def _let_in(self, request: web.Request) -> None:
        """Raise unless this is the page's folder and the browser was let in; both look alike from outside."""
        if not (self._access.is_here(request.match_info["path"]) and self._access.knows(request)):
            raise web.HTTPForbidden(text="Open the trainer's page with its token first.\n")

    async def _front(self, request: web.Request) -> web.StreamResponse:
        return _html(_template("enter.html").replace("{{said}}", ""))

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        fields = await request.post()
        token = str(fields.get("token", "")).strip()
        if not same_origin(request) or not self._access.opens(token):
            await asyncio.sleep(_WRONG_TOKEN)
            said = "<p role=alert>That is not the token. It is at the end of the address that the workshop printed when it began.</p>"
            return _html(_template("enter.html").replace("{{said}}", said), 403)
        raise web.HTTPSeeOther(f"{self._access.path}/?token={token}")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if not self._access.is_here(request.match_info["path"]):
            raise web.HTTPForbidden(text="Open the trainer's page with its token first.\n")
        token = request.query.get("token")
        if token is not None:
            if not self._access.opens(token):
                await asyncio.sleep(_WRONG_TOKEN)
                raise web.HTTPForbidden(text="That is not the trainer's token.\n")
            response = web.Response(status=303, headers={"Location": "./"})
            self._access.let_in(request, response)
            return response
        self._let_in(request)
        page = _template("index.html")
        page = page.replace("{{second}}", html.escape(self._access.for_changes))
        return _html(page.replace("{{table}}", self._table()))

    def _table(self) -> str:
        """Return the rows as HTML for a browser without scripts."""
        document: dict[str, Any] = {"seats": [], "trouble": ""}
        if self._text:
            document = json.loads(self._text)
        rows = []
        for seat in document["seats"]:
            cells = [
                seat["state"],
                seat["exercise"],
                f"{sum(one['is'] == 'confirmed' for one in seat['grades'])} confirmed",
                ", ".join(seat["drills"]),
                seat["error"],
            ]
            rows.append(
                f"<tr><th scope=row>{html.escape(seat['shown'])}</th>"
                + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
                + "</tr>"
            )
        return html.escape(document["trouble"]) + "".join(rows)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if not self._access.is_here(request.match_info["path"]):
            raise web.HTTPForbidden(text="Open the trainer's page with its token first.\n")
        name = request.match_info["name"]
        return web.Response(text=_template(name), content_type=_TYPES[name])

    # Saying.

    async def _state(self, request: web.Request) -> web.StreamResponse:
        self._let_in(request)
        self._due.set()
        return web.Response(text=self._text or "{}", content_type="application/json")

    async def _live(self, request: web.Request) -> web.StreamResponse:
        self._let_in(request)
        if not same_origin(request):
            raise web.HTTPForbidden(text="Another page's script may not listen.\n")
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=1024)
        await socket.prepare(request)
        self._open.add(socket)
        self._due.set()
        telling = asyncio.create_task(self._tell(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._open.discard(socket)
            telling.cancel()
        return socket

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        """Send what is new. A slow browser gets the newest when it is ready for it, and nothing piles up."""
        sent = 0
        with contextlib.suppress(ConnectionError):
            while not socket.closed:
                async with self._news:
                    while self._version == sent:
                        await self._news.wait()
                    sent, text = self._version, self._text
                await socket.send_str(text)

    async def _csv(self, request: web.Request) -> web.StreamResponse:
        self._let_in(request)
        try:
            data = await _in_thread(self._loop, self._csv_bytes)
        except SeatError as error:
            raise web.HTTPServiceUnavailable(text=f"{plain(error)}\n") from None
        headers = {"Content-Disposition": 'attachment; filename="workshop-grades.csv"'}
        return web.Response(body=data, content_type="text/csv", charset="utf-8", headers=headers)

    def _csv_bytes(self) -> bytes:
        stream = io.BytesIO()
        write_csv(stream, self._seats)
        return stream.getvalue()

    # Doing.

    def _may_change(self, request: web.Request) -> None:
        here = self._access.is_here(request.match_info["path"])
        if not here or not self._access.may_change(request, request.headers.get(FOR_CHANGES, "")):
            raise web.HTTPForbidden(
                text="This did not come from the trainer's page. Load it again.\n"
            )

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        self._may_change(request)
        name, what = request.match_info["seat"], request.match_info["what"]
        seat = next((one for one in self._last if one.name == name), None)
        if seat is None:
            raise web.HTTPNotFound(text=f"There is no seat {plain(name, 40)} (any more).\n")
        if what == "seen":
            self._actions.seen(name)
            return web.Response(status=204)
        try:
            given = json.loads(await request.text() or "{}")
            chosen = given.get("name" if what == "drill" else "exercise", "")
            if not isinstance(chosen, str):
                raise ValueError
        except (ValueError, AttributeError):
            raise web.HTTPBadRequest(
                text="A JSON object with a name or an exercise is expected.\n"
            ) from None
        try:
            if what == "drill":
                self._drill(name, chosen)
            elif what == "reset":
                self._reset(name, chosen)
            else:
                self._grade(name, chosen or seat.exercise)
        except Busy as error:
            raise web.HTTPConflict(text=f"{plain(error)}\n") from None
        return web.Response(status=202)

    async def _grade_all(self, request: web.Request) -> web.StreamResponse:
        self._may_change(request)
        begun = 0
        for seat in self._last:
            if seat.state is State.READY and seat.exercise:
                with contextlib.suppress(Busy):
                    self._grade(seat.name, seat.exercise)
                    begun += 1
        return web.json_response({"begun": begun}, status=202)

    def _drill(self, seat: str, name: str) -> None:
        def work() -> str:
            self._seats.drill(seat, name)
            return f"{name} is broken"

        self._actions.begin(seat, f"drill {plain(name, 40)}", work)

    def _reset(self, seat: str, exercise: str) -> None:
        def work() -> str:
            self._seats.reset(seat, exercise)
            return "reset" + (f" to where {exercise} begins" if exercise else "")

        self._actions.begin(seat, f"reset {plain(exercise, 20)}".strip(), work)

    def _grade(self, seat: str, exercise: str) -> None:
        def work() -> str:
            grade = self._seats.grade(seat, exercise)
            missing = "" if grade.done else ": " + "; ".join(grade.missing)
            return f"{exercise}: {grade.met} of {grade.of} conditions are true{missing}"

        self._actions.begin(seat, f"grade {plain(exercise, 20)}", work, queued=True)


def serve(
    seats: Seats, *, address: str = "127.0.0.1", port: int = 0, token: str = ""
) -> TrainerView:
    """Serve the trainer's page until it is closed.

    Args:
        seats: What is shown and asked.
        address: Of this computer, where it listens.
        port: 0: one that is free.
        token: What opens the page; empty: a new one, which is in `url`.

    Returns:
        The page, with `url` and `close()`; also a context manager.

    Raises:
        OSError: when the address or port cannot be had.
        ValueError: when the token is too short.
    """
    view = TrainerView(seats, Access(token))
    view._begin(address, port)
    return view


def _in_thread(loop: asyncio.AbstractEventLoop, work: Callable[[], Any]) -> asyncio.Future[Any]:
    """Return what a function will have returned, from a thread that keeps no program from ending."""
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as problem:
            error = problem
        with contextlib.suppress(RuntimeError):  # the loop has stopped
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="trainer-look").start()
    return future


async def _goodbye(socket: web.WebSocketResponse) -> None:
    await socket.send_str('{"ended": true}')
    await socket.close(code=WSCloseCode.GOING_AWAY)


def _template(name: str) -> str:
    return (resources.files(__package__) / "trainer_page" / name).read_text(encoding="utf-8")


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
