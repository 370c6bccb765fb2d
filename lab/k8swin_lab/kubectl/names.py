"""Which resources and objects a command line means: "pods,svc", "deploy/web", "node a b", "all"."""

from __future__ import annotations

from dataclasses import dataclass

from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubernetes.resources import Resource
from k8swin_lab.kubernetes.served import of_kind, seen

_NOT_FOUND = 'error: the server doesn\'t have a resource type "{}"'


@dataclass(frozen=True, slots=True)
class Wanted:
    """One resource and the names asked for; no names means all of them."""

    resource: Resource
    names: tuple[str, ...] = ()


def resource_named(text: str, minor: int) -> Resource:
    """Return a resource by plural, singular, short or full name.

    Raises:
        KubectlError: there is none.
    """
    word, _, group = text.lower().partition(".")
    for resource in seen(minor):
        names = (resource.plural, resource.singular, resource.kind.lower(), *resource.short_names)
        if word in names and "list" in resource.verbs:
            own = resource.group
            if (
                not group
                or group in (own, f"{resource.version}.{own}")
                or own.startswith(f"{group}.")
            ):
                return resource
    raise KubectlError(_NOT_FOUND.format(text))


def wanted(words: list[str], minor: int) -> list[Wanted]:
    """Return what the words after a verb mean.

    Raises:
        KubectlError: a resource that does not exist, or names that fit no resource.
    """
    if not words:
        raise KubectlError(
            'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list'
            " of supported resources.\n\nerror: Required resource not specified.\n"
            'Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl '
            "explain pods).\nSee 'kubectl get -h' for help and examples"
        )
    if any("/" in word for word in words):
        found = []
        for word in words:
            kind, slash, name = word.partition("/")
            if not slash:
                raise KubectlError(
                    "error: there is no need to specify a resource type as a separate argument when passing "
                    "arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of"
                    " 'kubectl get resource resource/<resource_name>'"
                )
            found.append(Wanted(resource_named(kind, minor), (name,)))
        return found
    kinds, *names = words
    resources: list[Resource] = []
    for kind in kinds.split(","):
        members = [one for one in seen(minor) if kind.lower() in one.categories]
        resources += members or [resource_named(kind, minor)]
    return [Wanted(resource, tuple(names)) for resource in resources]


def resource_of(obj: dict[str, object], minor: int) -> Resource:
    """Return the resource of an object.

    Raises:
        KubectlError: its kind is not served.
    """
    version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    found = of_kind(minor, version, kind)
    if found is None:
        raise KubectlError(
            f'error: resource mapping not found for name: "{_name(obj)}" namespace: "" from "STDIN": no matches'
            f' for kind "{kind}" in version "{version}"\nensure CRDs are installed first'
        )
    return found


def _name(obj: dict[str, object]) -> str:
    metadata = obj.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def full_name(resource: Resource) -> str:
    """Return how kubectl names an object's resource: "deployment.apps", "pod"."""
    return f"{resource.singular}.{resource.group}" if resource.group else resource.singular
