"""kubectl describe, of nodes and pods in full and of other kinds in their main fields."""

from __future__ import annotations

import json
import time
from calendar import timegm

from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubectl.names import wanted
from k8swin_lab.kubectl.session import Object, Session


def describe(session: Session, words: list[str]) -> int:
    """Run kubectl describe."""
    texts = []
    for one in wanted(words, session.minor):
        for obj in session.items(one.resource, one.names):
            kind = one.resource.plural
            if kind == "nodes":
                text = _node(session, obj)
            elif kind == "pods":
                text = _pod(obj)
            else:
                text = _other(obj)
            texts.append(text + _events(session, obj))
    if not texts and not session.failed:
        raise KubectlError(f"No resources found in {session.namespace} namespace.", 0)
    session.process.out("\n\n".join(texts))
    return 1 if session.failed else 0


def _seconds(stamp: str | None) -> float:
    if not stamp:
        return 0.0
    return float(timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")))


def _date(stamp: str | None) -> str:
    if not stamp:
        return "<unset>"
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(_seconds(stamp)))


def age(stamp: str | None) -> str:
    """Return how long ago a time stamp is: "14s", "3m2s", "5h"."""
    if not stamp:
        return "<unknown>"
    passed = max(0, int(time.time() - _seconds(stamp)))
    if passed < 120:
        return f"{passed}s"
    if passed < 600:
        return f"{passed // 60}m{passed % 60}s".replace("m0s", "m")
    if passed < 10800:
        return f"{passed // 60}m"
    return f"{passed // 3600}h" if passed < 172800 else f"{passed // 86400}d"


def _pairs(title: str, values: Object | None, width: int, separator: str) -> str:
    if not values:
        return f"{title + ':':<{width}}<none>\n"
    lines = [f"{key}{separator}{values[key]}" for key in sorted(values)]
    return f"{title + ':':<{width}}" + ("\n" + " " * width).join(lines) + "\n"


def _rows(head: list[str], rows: list[list[str]], indent: str = "  ") -> str:
    rule = ["-" * len(cell) for cell in head]
    widths = [max(len(row[at]) for row in [head, *rows]) + 2 for at in range(len(head))]
    text = ""
    for row in [head, rule, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        text += f"{indent}{''.join(cells)}{row[-1]}\n"
    return text


def _node(session: Session, node: Object) -> str:
    metadata, spec, status = node["metadata"], node["spec"], node.get("status") or {}
    labels = metadata.get("labels") or {}
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix)))
    text = f"Name:               {metadata['name']}\nRoles:              {roles or '<none>'}\n"
    text += _pairs("Labels", labels, 20, "=")
    text += _pairs("Annotations", metadata.get("annotations"), 20, ": ")
    text += f"CreationTimestamp:  {_date(metadata.get('creationTimestamp'))}\n"
    taints = [
        f"{one['key']}{'=' + one['value'] if one.get('value') else ''}:{one['effect']}"
        for one in spec.get("taints") or []
    ]
    text += "Taints:             " + ("\n" + " " * 20).join(taints or ["<none>"]) + "\n"
    text += f"Unschedulable:      {'true' if spec.get('unschedulable') else 'false'}\n"
    text += "Conditions:\n"
    text += _rows(
        ["Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"],
        [
            [one["type"], one["status"], _date(one.get("lastHeartbeatTime")), _date(one.get("lastTransitionTime")),
             one.get("reason", ""), one.get("message", "")]
            for one in status.get("conditions") or []
        ],
    )  # fmt: skip
    text += "Addresses:\n"
    addresses = status.get("addresses") or []
    width = max((len(one["type"]) for one in addresses), default=0) + 3
    text += "".join(f"  {one['type'] + ':':<{width}}{one['address']}\n" for one in addresses)
    for title in ("Capacity", "Allocatable"):
        values = status.get(title.lower()) or {}
        width = max((len(key) for key in values), default=0) + 3
        text += f"{title}:\n" + "".join(
            f"  {key + ':':<{width}}{values[key]}\n" for key in sorted(values)
        )
    info = status.get("nodeInfo") or {}
    fields = (
        ("Machine ID", "machineID"), ("System UUID", "systemUUID"), ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"), ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"), ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"), ("Kubelet Version", "kubeletVersion"),
    )  # fmt: skip
    text += "System Info:\n" + "".join(
        f"  {title + ':':<28}{info.get(key, '')}\n" for title, key in fields
    )
    if spec.get("podCIDR"):
        text += f"PodCIDR:                      {spec['podCIDR']}\nPodCIDRs:                     {','.join(spec.get('podCIDRs') or [spec['podCIDR']])}\n"
    listed = session.connection.get(
        "/api/v1/pods", [("fieldSelector", f"spec.nodeName={metadata['name']}")]
    )
    pods = [
        one
        for one in listed["items"]
        if one.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    ]
    text += f"Non-terminated Pods:          ({len(pods)} in total)\n"
    rows = [
        [
            one["metadata"]["namespace"],
            one["metadata"]["name"],
            age(one["metadata"].get("creationTimestamp")),
        ]
        for one in pods
    ]
    return text + _rows(["Namespace", "Name", "Age"], rows)


def _container(container: Object, status: Object | None) -> str:
    lines = [f"  {container['name']}:"]
    if status is not None:
        lines.append(f"    Container ID:  {status.get('containerID', '')}")
    lines.append(f"    Image:         {container.get('image', '')}")
    if status is not None:
        lines.append(f"    Image ID:      {status.get('imageID', '')}")
    ports = container.get("ports") or []
    shown = (
        ", ".join(f"{one['containerPort']}/{one.get('protocol', 'TCP')}" for one in ports)
        or "<none>"
    )
    lines.append(f"    Port:          {shown}")
    for title in ("command", "args"):
        if container.get(title):
            lines.append(f"    {title.capitalize()}:")
            lines += [f"      {word}" for word in container[title]]
    if status is not None:
        for title, key in (("State", "state"), ("Last State", "lastState")):
            for state, fields in (status.get(key) or {}).items():
                lines.append(f"    {title + ':':<15}{state.capitalize()}")
                for name in ("reason", "message", "exitCode", "startedAt", "finishedAt"):
                    if name in fields and fields[name] not in (None, ""):
                        label = {
                            "exitCode": "Exit Code",
                            "startedAt": "Started",
                            "finishedAt": "Finished",
                        }.get(name, name.capitalize())
                        value = _date(fields[name]) if name.endswith("At") else fields[name]
                        lines.append(f"      {label + ':':<13}{value}")
        lines.append(f"    Ready:          {status.get('ready', False)}")
        lines.append(f"    Restart Count:  {status.get('restartCount', 0)}")
    for title in ("limits", "requests"):
        values = (container.get("resources") or {}).get(title)
        if values:
            lines.append(f"    {title.capitalize()}:")
            lines += [f"      {key}:  {values[key]}" for key in sorted(values)]
    lines.append("    Mounts:")
    mounts = container.get("volumeMounts") or []
    lines += [
        f"      {one['mountPath']} from {one['name']} ({'ro' if one.get('readOnly') else 'rw'})"
        for one in mounts
    ] or ["      <none>"]
    return "\n".join(lines) + "\n"


def _pod(pod: Object) -> str:
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    node = spec.get("nodeName")
    text = (
        f"Name:             {metadata['name']}\nNamespace:        {metadata['namespace']}\n"
        f"Priority:         {spec.get('priority', 0)}\nService Account:  {spec.get('serviceAccountName', 'default')}\n"
        f"Node:             {node + '/' + status.get('hostIP', '') if node else '<none>'}\n"
    )
    if status.get("startTime"):
        text += f"Start Time:       {_date(status['startTime'])}\n"
    text += _pairs("Labels", metadata.get("labels"), 18, "=")
    text += _pairs("Annotations", metadata.get("annotations"), 18, ": ")
    text += f"Status:           {status.get('phase', '')}\n"
    for key in ("reason", "message"):
        if status.get(key):
            text += f"{key.capitalize() + ':':<18}{status[key]}\n"
    text += f"IP:               {status.get('podIP', '')}\n"
    owners = metadata.get("ownerReferences") or []
    if owners:
        text += f"Controlled By:    {owners[0]['kind']}/{owners[0]['name']}\n"
    for title, key, states in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
    ):
        if spec.get(key):
            known = {one["name"]: one for one in status.get(states) or []}
            text += f"{title}:\n" + "".join(
                _container(one, known.get(one["name"])) for one in spec[key]
            )
    conditions = [[one["type"], one["status"] + " "] for one in status.get("conditions") or []]
    if conditions:
        width = max(len(row[0]) for row in conditions) + 3
        text += (
            "Conditions:\n"
            + f"  {'Type':<{width}}Status\n"
            + "".join(f"  {name:<{width}}{value}\n" for name, value in conditions)
        )
    text += "Volumes:\n" + "".join(
        f"  {one['name']}:\n    {json.dumps({key: value for key, value in one.items() if key != 'name'})}\n"
        for one in spec.get("volumes") or []
    )
    text += f"QoS Class:        {status.get('qosClass', '')}\n"
    text += _pairs("Node-Selectors", spec.get("nodeSelector"), 18, "=")
    return (
        text
        + "Tolerations:      "
        + ("\n" + " " * 18).join(map(_toleration, spec.get("tolerations") or []))
        + "\n"
    )


def _toleration(one: Object) -> str:
    text = str(one.get("key", ""))
    if one.get("value"):
        text += f"={one['value']}"
    if one.get("effect"):
        text += f":{one['effect']}"
    if one.get("operator") == "Exists" and not one.get("value"):
        text += " op=Exists"
    if one.get("tolerationSeconds") is not None:
        text += f" for {one['tolerationSeconds']}s"
    return text.strip()


def _other(obj: Object) -> str:
    metadata = obj["metadata"]
    text = f"Name:         {metadata['name']}\n"
    if metadata.get("namespace"):
        text += f"Namespace:    {metadata['namespace']}\n"
    text += _pairs("Labels", metadata.get("labels"), 14, "=")
    text += _pairs("Annotations", metadata.get("annotations"), 14, ": ")
    for key in ("type", "data", "spec", "rules", "roleRef", "subjects", "status"):
        value = obj.get(key)
        if value in (None, {}, []):
            continue
        if key == "data" and obj["kind"] == "Secret":
            value = {name: f"{len(str(one)) * 3 // 4} bytes" for name, one in value.items()}
        text += _tree(key[0].upper() + key[1:], value, 0)
    return text


def _tree(title: str, value: object, depth: int) -> str:
    indent = "  " * depth
    if isinstance(value, dict):
        return f"{indent}{title}:\n" + "".join(
            _tree(key[:1].upper() + key[1:], value[key], depth + 1) for key in sorted(value)
        )
    if isinstance(value, list):
        text = f"{indent}{title}:\n"
        for one in value:
            text += _tree("-", one, depth + 1) if isinstance(one, dict) else f"{indent}  {one}\n"
        return text
    return f"{indent}{title}:  {value}\n"


def _events(session: Session, obj: Object) -> str:
    if session.options.get("--show-events") == "false":
        return ""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace") or "default"
    query = [
        (
            "fieldSelector",
            f"involvedObject.name={metadata['name']},involvedObject.kind={obj['kind']}",
        )
    ]
    listed = session.connection.get(f"/api/v1/namespaces/{namespace}/events", query)
    rows = []
    for event in listed["items"]:
        first = event.get("firstTimestamp") or event.get("eventTime")
        last = event.get("lastTimestamp") or first
        count = event.get("count", 1)
        shown = age(last) if count < 2 else f"{age(last)} (x{count} over {age(first)})"
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent", "")
        rows.append(
            [
                event.get("type", ""),
                event.get("reason", ""),
                shown,
                source,
                event.get("message", ""),
            ]
        )
    if not rows:
        return "Events:       <none>\n"
    return "Events:\n" + _rows(["Type", "Reason", "Age", "From", "Message"], rows)
