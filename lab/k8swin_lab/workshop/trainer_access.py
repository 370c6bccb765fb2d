"""Who may see the trainer's page, and what a browser may do with it.

The page is kept for whoever has its token. The seats' JupyterLabs are other ports of the same host, and a browser sends
a cookie to all ports of a host: so the cookie holds only under a path that is worked out from the token and that no
seat can know, it is not the token itself, and what changes anything also takes a second secret that stands in the page
alone and comes with the page's own origin.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

_LOG = logging.getLogger(__name__)

SHORTEST = 16
"""Characters that a token has at least."""

COOKIE = "k8swin-trainer"
FOR_CHANGES = "X-Trainer"
"""The header in which the page sends its second secret."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Access:
    """Knows the token and what is worked out from it.

    Args:
        token: Of the trainer; empty: a new one.

    Raises:
        ValueError: when it is so short that it can be guessed.
    """

    def __init__(self, token: str = "") -> None:
        if token and len(token) < SHORTEST:
            raise ValueError(
                f"the trainer's token has {len(token)} characters; it takes {SHORTEST} at least, "
                "or leave it empty to get a new one"
            )
        self.token = token or secrets.token_urlsafe(24)
        self.path = self._derived("path")[:24]
        """The folder under which the page is."""

        self.for_changes = self._derived("changes")
        """What the page must send with what changes anything."""

        self._session = self._derived("session")

    def _derived(self, what: str) -> str:
        return hmac.new(self.token.encode(), what.encode(), hashlib.sha256).hexdigest()

    def opens(self, token: str) -> bool:
        """Say whether this is the token, in a time that does not tell how much of it is."""
        return _same(token, self.token)

    def is_here(self, path: str) -> bool:
        """Say whether this is the page's folder."""
        return _same(path, self.path)

    def knows(self, request: web.Request) -> bool:
        """Say whether a request comes from a browser that was let in."""
        return _same(request.cookies.get(COOKIE, ""), self._session)

    def let_in(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give a browser the cookie. It holds under the path of this request, for as long as the browser is open."""
        response.headers.add(
            "Set-Cookie",
            # No path: a browser takes the folder that it asked for, which a proxy may have put deeper.
            f"{COOKIE}={self._session}; HttpOnly; SameSite=Lax"
            + ("; Secure" if request.headers.get("X-Forwarded-Proto") == "https" else ""),
        )

    def may_change(self, request: web.Request, second: str) -> bool:
        """Say whether a request that changes something was made by the page itself."""
        return self.knows(request) and same_origin(request) and _same(second, self.for_changes)


def same_origin(request: web.Request) -> bool:
    """Say whether a browser sent this from a page of this very host and port; a request that does not say is not."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        # A web socket's request says so as well.
        return False
    try:
        origin = urlsplit(request.headers.get("Origin", "")).netloc
    except ValueError:
        return False
    hosts = {request.headers.get("Host", ""), request.headers.get("X-Forwarded-Host", "")}
    return bool(origin) and origin in hosts


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the headers on every answer, errors too; what an error of ours says stays in the log."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    except Exception:
        _LOG.exception("the trainer's page failed at %s", request.method)
        response = web.Response(status=500, text="The page failed here; the server's log says how.")
    if not response.prepared:
        response.headers.update(HEADERS)
    return response
