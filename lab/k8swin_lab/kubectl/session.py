"""One run of kubectl: the process, its options, its connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from k8swin_lab.arguments import Parsed
from k8swin_lab.kubectl import kubeconfig
from k8swin_lab.kubectl.client import Connection
from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubectl.kubeconfig import Access, Files
from k8swin_lab.kubernetes.resources import Resource
from k8swin_lab.machines.program import Process

Object = dict[str, Any]


@dataclass
class Session:
    """What every verb works with."""

    process: Process
    files: Files
    version: str
    options: Parsed
    verb: str = ""
    failed: list[str] = field(default_factory=list)

    @cached_property
    def access(self) -> Access:
        """How to reach the cluster."""
        config = kubeconfig.load(self.process, self.files, self.options.get("--kubeconfig"))
        found = kubeconfig.access(
            config, self.files,
            context=self.options.get("--context"),
            server=self.options.get("-s"),
            namespace=self.options.get("-n"),
        )  # fmt: skip
        if token := self.options.get("--token"):
            found = Access(
                found.server,
                found.authority,
                found.insecure,
                b"",
                token,
                found.namespace,
                found.cluster_name,
            )
        return found

    @cached_property
    def connection(self) -> Connection:
        """Requests to the API server."""
        return Connection(self.process, self.access, f"kubectl/v{self.version}")

    @cached_property
    def minor(self) -> int:
        """The minor version of the server, by which its resources are known.

        Raises:
            KubectlError: the server cannot be reached.
        """
        return int(str(self.connection.get("/version")["minor"]).rstrip("+"))

    @property
    def namespace(self) -> str:
        return self.access.namespace

    def out(self, text: str) -> None:
        """Print a line."""
        self.process.out(f"{text}\n")

    def err(self, text: str) -> None:
        """Print a line to standard error."""
        self.process.err(f"{text}\n")

    def path(
        self, resource: Resource, name: str = "", subresource: str = "", namespace: str = ""
    ) -> str:
        """Return the path of an object in the session's namespace, or of the collection."""
        return resource.path(namespace or self.namespace, name, subresource)

    def fail(self, error: KubectlError) -> None:
        """Say what went wrong and go on; the command ends with 1."""
        self.err(str(error))
        self.failed.append(str(error))

    def query(self) -> list[tuple[str, str]]:
        """Return the selectors of the command line as query parameters."""
        found = []
        for option, name in (("-l", "labelSelector"), ("--field-selector", "fieldSelector")):
            if value := self.options.get(option):
                found.append((name, value))
        return found

    def wait_a_little(self, seconds: float = 0.1) -> bool:
        """Wait; False when the command was cancelled."""
        return not self.process.cancelled.wait(seconds)

    def items(self, resource: Resource, names: tuple[str, ...]) -> Iterator[Object]:
        """Return the named objects, or all that the selectors fit; missing ones are reported.

        Raises:
            KubectlError: the list is refused.
        """
        everywhere = "-A" in self.options and resource.namespaced
        if not names:
            path = resource.path(None if everywhere else self.namespace)
            listed = self.connection.get(path, self.query())
            for item in listed.get("items") or []:
                yield {"apiVersion": resource.api_version, "kind": resource.kind, **item}
            return
        for name in names:
            try:
                yield self.connection.get(self.path(resource, name))
            except KubectlError as error:
                ignored = "--ignore-not-found" in self.options and "(NotFound)" in str(error)
                if not ignored:
                    self.fail(error)
