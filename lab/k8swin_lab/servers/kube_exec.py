"""kubectl exec over WebSocket: the channel protocols v4 and v5 of the API server.

Each binary message begins with a byte that names the channel: 0 input, 1 output, 2 error,
3 the final Status, 4 resize, and in v5 255 to close one channel.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from k8swin_lab.kubernetes import rbac
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.errors import ApiError, bad_request
from k8swin_lab.kubernetes.paths import parse
from k8swin_lab.kubernetes.subresources import container_of
from k8swin_lab.kubernetes.users import User
from k8swin_lab.servers.kubelet import exit_status

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
InThread = Callable[..., Awaitable[Any]]


async def serve_exec(
    cluster: Cluster, request: web.Request, user: User, in_thread: InThread
) -> web.StreamResponse:
    """Answer one exec request.

    Raises:
        ApiError: it is refused before the connection is upgraded.
    """
    target = parse(request.path)
    verb = "get" if request.method == "GET" else "create"
    asked = rbac.Attributes(
        verb, resource="pods", subresource="exec", namespace=target.namespace, name=target.name
    )
    if not rbac.allowed(cluster.store, user, asked):
        raise rbac.refuse(user, asked)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required (the lab offers WebSocket, not SPDY)")
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    argv = [value for key, value in pairs if key == "command"]
    query = dict(pairs)
    pod = cluster.api.stored(target)
    container = container_of(pod, query.get("container", ""))
    kubelet = cluster.kubelet_of(pod)
    if kubelet is None or not argv:
        raise bad_request("you must specify at least one command for the container")
    socket = web.WebSocketResponse(protocols=PROTOCOLS)
    await socket.prepare(request)
    try:
        code, out, err = await in_thread(
            kubelet.exec, target.namespace, target.name, container, argv
        )
    except ApiError as error:
        await socket.send_bytes(b"\x03" + json.dumps(error.status).encode())
    else:
        for channel, data in ((1, out), (2, err)):
            if data:
                await socket.send_bytes(bytes([channel]) + data)
        await socket.send_bytes(b"\x03" + json.dumps(exit_status(code)).encode())
    await socket.close()
    return socket
