"""What is read of Kubernetes' objects: the few fields that tables need, in protobuf's form and in JSON's.

An API server writes protobuf several times faster than JSON and in a third of the bytes, and what is not named here is
passed over in C. Numbers and names of the fields are those of `generated.proto` in k8s.io/api and k8s.io/apimachinery
(core/v1, apps/v1, batch/v1, meta/v1); they never change, as stored objects have them. A server that knows JSON alone
is understood too: its objects become the same messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from k8swin_nb.reading import Unreadable

MAGIC = b"k8s\x00"
"""What every answer in protobuf begins with, before the envelope with kind and content."""

# One line a message: NUMBER NAME TYPE. `str`, `int` and `bool` are scalars, `[]` in front is a list, `{}` a mapping by text.
# A message behind `~` stays as bytes: thousands of objects have the same, which is read once.
_FIELDS = """
TypeMeta: 2 kind str
Status: 3 message str
Time: 1 seconds int, 2 nanos int
Quantity: 1 string str
ListMeta: 2 resourceVersion str, 3 continue str, 4 remainingItemCount int
Owner: 1 kind str, 3 name str, 6 controller bool
Meta: 1 name str, 3 namespace str, 6 resourceVersion str, 7 generation int, 8 creationTimestamp Time, 9 deletionTimestamp Time, 11 labels {}str, 13 ownerReferences []~Owner
Condition: 1 type str, 2 status str, 5 reason str
Resources: 2 requests {}Quantity
Container: 1 name str, 2 image str, 8 resources ~Resources, 24 restartPolicy str
Gate: 1 conditionType str
Os: 1 name str
PodSpec: 2 containers []Container, 7 nodeSelector {}str, 10 nodeName str, 20 initContainers []Container, 28 readinessGates []Gate, 36 os Os
Waiting: 1 reason str
Running: 1 startedAt Time
Terminated: 1 exitCode int, 2 signal int, 3 reason str, 6 finishedAt Time
State: 1 waiting Waiting, 2 running Running, 3 terminated Terminated
ContainerStatus: 1 name str, 2 state State, 3 lastState State, 4 ready bool, 5 restartCount int, 9 started bool
PodIP: 1 ip str
PodStatus: 1 phase str, 2 conditions []Condition, 4 reason str, 6 podIP str, 8 containerStatuses []ContainerStatus, 10 initContainerStatuses []ContainerStatus, 11 nominatedNodeName str, 12 podIPs []PodIP
Pod: 1 metadata Meta, 2 spec PodSpec, 3 status PodStatus
Taint: 1 key str, 2 value str, 3 effect str
NodeSpec: 1 podCIDR str, 4 unschedulable bool, 5 taints []Taint
NodeCondition: 1 type str, 2 status str, 5 reason str
Address: 1 type str, 2 address str
NodeInfo: 4 kernelVersion str, 5 osImage str, 6 containerRuntimeVersion str, 7 kubeletVersion str, 9 operatingSystem str, 10 architecture str
NodeStatus: 1 capacity {}Quantity, 2 allocatable {}Quantity, 4 conditions []NodeCondition, 5 addresses []Address, 7 nodeInfo NodeInfo
Node: 1 metadata Meta, 2 spec NodeSpec, 3 status NodeStatus
Port: 1 name str, 2 protocol str, 3 port int, 5 nodePort int
ServiceSpec: 1 ports []Port, 2 selector {}str, 3 clusterIP str, 4 type str, 5 externalIPs []str, 10 externalName str
Ingress: 1 ip str, 2 hostname str
LoadBalancer: 1 ingress []Ingress
ServiceStatus: 1 loadBalancer LoadBalancer
Service: 1 metadata Meta, 2 spec ServiceSpec, 3 status ServiceStatus
Reference: 1 kind str, 2 namespace str, 3 name str, 7 fieldPath str
EventSource: 1 component str, 2 host str
Series: 1 count int, 2 lastObservedTime Time
Event: 1 metadata Meta, 2 involvedObject Reference, 3 reason str, 4 message str, 5 source EventSource, 6 firstTimestamp Time, 7 lastTimestamp Time, 8 count int, 9 type str, 10 eventTime Time, 11 series Series, 14 reportingComponent str, 15 reportingInstance str
Requirement: 1 key str, 2 operator str, 3 values []str
Selector: 1 matchLabels {}str, 2 matchExpressions []Requirement
Template: 2 spec PodSpec
DeploymentSpec: 1 replicas int, 2 selector Selector, 3 template Template
DeploymentStatus: 1 observedGeneration int, 2 replicas int, 3 updatedReplicas int, 4 availableReplicas int, 7 readyReplicas int
Deployment: 1 metadata Meta, 2 spec DeploymentSpec, 3 status DeploymentStatus
StatefulSetSpec: 1 replicas int, 2 selector Selector, 3 template Template
StatefulSetStatus: 1 observedGeneration int, 2 replicas int, 3 readyReplicas int, 5 updatedReplicas int, 11 availableReplicas int
StatefulSet: 1 metadata Meta, 2 spec StatefulSetSpec, 3 status StatefulSetStatus
DaemonSetSpec: 1 selector Selector, 2 template Template
DaemonSetStatus: 1 currentNumberScheduled int, 3 desiredNumberScheduled int, 4 numberReady int, 5 observedGeneration int, 6 updatedNumberScheduled int, 7 numberAvailable int
DaemonSet: 1 metadata Meta, 2 spec DaemonSetSpec, 3 status DaemonSetStatus
JobSpec: 1 parallelism int, 2 completions int, 10 suspend bool, 4 selector Selector, 6 template Template
JobStatus: 1 conditions []Condition, 2 startTime Time, 3 completionTime Time, 4 active int, 5 succeeded int, 6 failed int
Job: 1 metadata Meta, 2 spec JobSpec, 3 status JobStatus
Namespace: 1 metadata Meta
"""

KINDS = ("Pod", "Node", "Service", "Event", "Deployment", "StatefulSet", "DaemonSet", "Job", "Namespace")  # fmt: skip

_SCALARS = {"str": 9, "int": 3, "bool": 8, "bytes": 12}
"""Types of a field, as descriptors number them."""

_MESSAGE, _OPTIONAL, _REPEATED = 11, 1, 3


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(
        name="k8swin.proto", package="k8swin", syntax="proto2"
    )
    lists = "".join(f"{kind}List: 1 metadata ListMeta, 2 items []{kind}\n" for kind in KINDS)
    for line in (_FIELDS + lists).strip().splitlines():
        name, _, fields = line.partition(": ")
        made = file.message_type.add(name=name)
        for field in fields.split(", "):
            number, called, kind = field.split(" ")
            repeated = kind.startswith(("[]", "{}"))
            added = made.field.add(
                name=called, number=int(number), label=_REPEATED if repeated else _OPTIONAL
            )
            of = kind.removeprefix("[]")
            if of.startswith("~"):
                _packed()[name, called] = of[1:]
                of = "bytes"
            if kind.startswith("{}"):
                of = _entry(made, called, kind.removeprefix("{}"))
            if of in _SCALARS:
                added.type = _SCALARS[of]
            else:
                added.type = _MESSAGE
                added.type_name = f".k8swin.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


@cache
def _packed() -> dict[tuple[str, str], str]:
    """Return, by message and field, what stays as bytes is a message of."""
    return {}


def _entry(made: Any, field: str, value: str) -> str:
    """Add the message of a mapping's entries, and return its name."""
    name = f"{field[0].upper()}{field[1:]}Entry"
    entry = made.nested_type.add(name=name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_OPTIONAL, type=_SCALARS["str"])
    kind: dict[str, Any] = (
        {"type": _SCALARS[value]}
        if value in _SCALARS
        else {"type": _MESSAGE, "type_name": f".k8swin.{value}"}
    )
    entry.field.add(name="value", number=2, label=_OPTIONAL, **kind)
    return f"{made.name}.{name}"


@cache
def message(name: str) -> type[Any]:
    """Return the class of a message, such as `Pod` or `PodList`."""
    made: type[Any] = message_factory.GetMessageClass(
        _pool().FindMessageTypeByName(f"k8swin.{name}")
    )
    return made


def parsed(name: str, content: bytes) -> Any:
    """Return a message of its bytes.

    Raises:
        Unreadable: when they are none.
    """
    try:
        return message(name).FromString(content)
    except (DecodeError, TypeError) as error:
        raise Unreadable("it is not protobuf") from error


def content_of(begin: bytes, name: str) -> tuple[int, int] | None:
    """Return where the content of an answer begins, and its length; None where that is not there yet.

    An answer is `MAGIC` and a message whose first field tells the kind, and whose second is the content.

    Raises:
        Unreadable: when it is none, or of another kind.
    """
    if not MAGIC.startswith(begin[: len(MAGIC)]):
        raise Unreadable("it does not begin as one in protobuf")
    place = len(MAGIC)
    kind = ""
    while (tag := _varint(begin, place)) and (length := _varint(begin, tag[1])):
        place = length[1]
        if tag[0] == _CONTENT:
            if kind != name:
                raise Unreadable(f"it is none of the kind {name.removesuffix('List')}")
            return place, length[0]
        if tag[0] & 7 != _BYTES:
            raise Unreadable("it is not protobuf")
        if tag[0] == _KIND:
            kind = parsed("TypeMeta", begin[place : place + length[0]]).kind
        place += length[0]
    return None


def whole_fields(content: bytes) -> int:
    """Return where the last field ends that is there as a whole."""
    end, size = 0, len(content)
    while (tag := _varint(content, end)) and (value := _varint(content, tag[1])):
        place = value[1]
        if tag[0] & 7 == _BYTES:
            place += value[0]
        elif tag[0] & 7:
            raise Unreadable("it is not protobuf")
        if place > size:
            break
        end = place
    return end


_KIND, _CONTENT, _BYTES = 1 << 3 | 2, 2 << 3 | 2, 2


def _varint(data: bytes, place: int) -> tuple[int, int] | None:
    """Return a number and where it ends; None where it is not there as a whole."""
    value = shift = 0
    for end in range(place, min(place + 10, len(data))):
        byte = data[end]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, end + 1
        shift += 7
    if place + 10 <= len(data):
        raise Unreadable("it is not protobuf")
    return None


def of_json(name: str, document: Any) -> Any:
    """Return a message of a JSON document; what is of another type than it should be, is as if it were not there."""
    made = message(name)()
    _fill(made, document)
    return made


def _fill(made: Message, document: Any) -> None:
    if not isinstance(document, Mapping):
        return
    for field in made.DESCRIPTOR.fields:
        value = document.get(field.name)
        if value is None:
            continue
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            _fill_mapping(getattr(made, field.name), inner.fields_by_name["value"], value)
        elif field.is_repeated if hasattr(field, "is_repeated") else field.label == _REPEATED:
            items = getattr(made, field.name)
            packed = _packed().get((made.DESCRIPTOR.name, field.name))
            for item in value if isinstance(value, list) else ():
                if inner is not None:
                    _fill_one(items.add(), item)
                elif packed:
                    items.append(of_json(packed, item).SerializeToString())
                elif isinstance(item, str):
                    items.append(item)
        elif packed := _packed().get((made.DESCRIPTOR.name, field.name)):
            setattr(made, field.name, of_json(packed, value).SerializeToString())
        elif inner is not None:
            part = getattr(made, field.name)
            if isinstance(value, Mapping) or inner.name in ("Time", "Quantity"):
                part.SetInParent()
                _fill_one(part, value)
                if inner.name == "Time" and not part.HasField("seconds"):
                    made.ClearField(field.name)
        elif type(value) is _PYTHON[field.type] and not (
            isinstance(value, int) and abs(value) >= 1 << 62
        ):
            setattr(made, field.name, _sound(value))


_PYTHON = {9: str, 3: int, 8: bool}
"""By type of a field, that of its value in JSON."""


def _fill_one(part: Any, value: Any) -> None:
    kind = part.DESCRIPTOR.name
    if kind == "Time":
        _set_time(part, value)
    elif kind == "Quantity":
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            part.string = _sound(str(value))
    else:
        _fill(part, value)


def _fill_mapping(target: Any, field: Any, value: Any) -> None:
    if not isinstance(value, Mapping):
        return
    for key, item in value.items():
        if field.message_type is not None:
            _fill_one(target[_sound(str(key))], item)
        elif isinstance(item, str):
            target[_sound(str(key))] = _sound(item)


def _sound(value: Any) -> Any:
    """Return a text without halves of characters, which JSON can say and nothing can keep."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _set_time(part: Any, value: Any) -> None:
    if not isinstance(value, str):
        return
    try:
        when = datetime.fromisoformat(value)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return
    part.seconds = int(seconds // 1)
    part.nanos = when.microsecond * 1000
