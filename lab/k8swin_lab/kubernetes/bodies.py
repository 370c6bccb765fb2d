"""Request bodies and answers in the forms that clients ask for."""

from __future__ import annotations

import json
from typing import Any

import yaml

from k8swin_lab.kubernetes import protobuf
from k8swin_lab.kubernetes.errors import ApiError, Object, bad_request
from k8swin_lab.kubernetes.tables import table

_META = "meta.k8s.io/v1"


def decode(body: bytes | Object | list[Object] | None, content_type: str) -> Any:
    """Return the decoded body; None when there is none.

    Raises:
        ApiError: the media type is not understood (415) or the text is not JSON or YAML (400).
    """
    if body is None or isinstance(body, dict | list):
        return body
    if not body.strip():
        return None
    media = content_type.partition(";")[0].strip()
    if media == "application/vnd.kubernetes.protobuf":
        return protobuf.decode(body)
    known = ("json" in media) or ("yaml" in media) or media in ("", "text/plain")
    if not known:
        text = (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        )
        raise ApiError(415, "UnsupportedMediaType", text, {})
    try:
        return yaml.safe_load(body) if "yaml" in media else json.loads(body)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


def _wanted(accept: str) -> str:
    """Return what the first understood media type asks for: Table, PartialObjectMetadata or ''."""
    for part in accept.split(","):
        options = dict(
            item.strip().partition("=")[::2] for item in part.split(";")[1:] if "=" in item
        )
        kind = options.get("as", "")
        if not kind:
            return ""
        if options.get("g") == "meta.k8s.io" and options.get("v") == "v1":
            return kind.removesuffix("List")
    return ""


def render(result: Any, accept: str, query: dict[str, str], now: float) -> Any:
    """Return an object or list as a Table or as its metadata when the client prefers that."""
    if not isinstance(result, dict) or result.get("kind") in ("Status", None):
        return result
    wanted = _wanted(accept)
    if wanted == "Table":
        return table(result, query.get("includeObject", "Metadata"), now)
    if wanted == "PartialObjectMetadata":
        if "items" in result:
            items = [_partial(item) for item in result["items"]]
            return {
                "kind": "PartialObjectMetadataList",
                "apiVersion": _META,
                "metadata": result["metadata"],
                "items": items,
            }
        return _partial(result)
    return result


def _partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj["metadata"]}
