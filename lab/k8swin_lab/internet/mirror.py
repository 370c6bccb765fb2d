"""A site's mirror: one host that serves every other origin's files under the origin's name."""

from __future__ import annotations

import re
import urllib.parse

from k8swin_lab.internet.answers import missing
from k8swin_lab.internet.registries import HOSTS
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse


def site_mirror(
    origins: dict[str, HttpHandler], kept: dict[str, HttpHandler] | None = None
) -> HttpHandler:
    """Return the handler of a mirror over these origins; later changes to the table count.

    Args:
        origins: by host name.
        kept: origins that are no more, of which only the mirror has copies.

    A redirect of an origin is followed here, as a mirror holds the file and not the redirect. It is a registry
    as well: the image MIRROR/HOST/NAME:TAG is HOST/NAME:TAG.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        path = urllib.parse.urlsplit(request.url).path
        image = re.fullmatch(r"/v2/([^/]+)/(.+)", path)
        if image:
            url = f"https://{HOSTS.get(image[1], image[1])}/v2/{image[2]}"
        else:
            host, _, rest = path.lstrip("/").partition("/")
            url = f"https://{host}/{rest}"
        for _ in range(5):
            name = urllib.parse.urlsplit(url).hostname or ""
            origin = origins.get(name) or (kept or {}).get(name)
            if origin is None or origin is answer:
                return missing()
            found = origin(
                HttpRequest(request.method, url, dict(request.headers), b"", request.peer)
            )
            if found.status not in (301, 302, 303, 307, 308):
                return found
            url = urllib.parse.urljoin(url, found.headers["location"])
        return missing()

    return answer
