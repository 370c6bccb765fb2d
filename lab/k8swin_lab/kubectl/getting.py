"""kubectl get."""

from __future__ import annotations

import json

from k8swin_lab.kubectl.client import TABLE
from k8swin_lab.kubectl.errors import KubectlError, RequestError
from k8swin_lab.kubectl.manifests import read
from k8swin_lab.kubectl.names import Wanted, full_name, resource_of, wanted
from k8swin_lab.kubectl.output import print_objects, table_rows, tabulate
from k8swin_lab.kubectl.session import Object, Session
from k8swin_lab.machines.program import NotSimulated


def get(session: Session, words: list[str]) -> int:
    """Run kubectl get."""
    options = session.options
    for option in ("-w", "--sort-by", "--show-kind", "-L"):
        if option in options:
            raise NotSimulated(f"kubectl get {option}")
    if path := options.get("--raw"):
        status, body = session.connection.raw("GET", path)
        if status >= 400:
            try:
                value = json.loads(body)
            except ValueError:
                value = {
                    "message": body.decode(errors="replace").strip(),
                    "reason": "NotFound" if status == 404 else "",
                }
            if not isinstance(value, dict):
                value = {}
            if status == 404 and not (value.get("details") or {}).get("name"):
                value = {
                    "reason": "NotFound",
                    "message": "the server could not find the requested resource",
                }
            raise RequestError({"code": status, **value})
        session.process.stdout.write(body)
        return 0
    if options.all("-f"):
        chosen = [
            Wanted(resource_of(obj, session.minor), (str(obj["metadata"]["name"]),))
            for obj, _ in read(session.process, session.files, options.all("-f"))
        ]
    else:
        chosen = wanted(words, session.minor)
    if "-A" in options and any(one.names for one in chosen):
        raise KubectlError("error: a resource cannot be retrieved by name across all namespaces")
    form = options.get("-o")
    if form and form != "wide":
        return _objects(session, chosen, form)
    return _tables(session, chosen, wide=form == "wide")


def _objects(session: Session, chosen: list[Wanted], form: str) -> int:
    found: list[Object] = []
    for one in chosen:
        found += session.items(one.resource, one.names)
    single = len(chosen) == 1 and len(chosen[0].names) == 1
    named = any(one.names for one in chosen)
    if named and not found:
        return 1 if session.failed else 0
    session.process.out(print_objects(found, form, single=single))
    return 1 if session.failed else 0


def _tables(session: Session, chosen: list[Wanted], *, wide: bool) -> int:
    options = session.options
    everywhere = "-A" in options
    grouped: dict[str, Wanted] = {}
    for one in chosen:
        key = one.resource.plural + one.resource.group
        old = grouped.get(key)
        grouped[key] = Wanted(one.resource, (*old.names, *one.names)) if old else one
    several = len(grouped) > 1
    printed = 0
    for one in grouped.values():
        resource = one.resource
        prefix = f"{full_name(resource)}/" if several else ""
        head: list[str] = []
        rows: list[list[str]] = []
        for table in _fetch(session, one):
            head, more = table_rows(
                table,
                wide=wide,
                namespaces=everywhere and resource.namespaced,
                labels="--show-labels" in options,
                prefix=prefix,
            )
            rows += more
        if not rows:
            continue
        if printed:
            session.out("")
        printed += len(rows)
        session.process.out(tabulate(rows if "--no-headers" in options else [head, *rows]))
    if not printed and not session.failed and "--ignore-not-found" not in options:
        namespaced = any(one.resource.namespaced for one in chosen) and not everywhere
        where = f" in {session.namespace} namespace" if namespaced else ""
        session.err(f"No resources found{where}.")
    return 1 if session.failed else 0


def _fetch(session: Session, one: Wanted) -> list[Object]:
    everywhere = "-A" in session.options and one.resource.namespaced
    found = []
    if not one.names:
        path = one.resource.path(None if everywhere else session.namespace)
        try:
            found.append(
                session.connection.request("GET", path, accept=TABLE, query=session.query())
            )
        except RequestError as error:
            session.fail(error)
        return found
    for name in one.names:
        try:
            found.append(
                session.connection.request("GET", session.path(one.resource, name), accept=TABLE)
            )
        except RequestError as error:
            if not (error.http == 404 and "--ignore-not-found" in session.options):
                session.fail(error)
    return found
