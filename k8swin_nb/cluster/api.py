"""The API server, asked for tables: the very rows and columns that kubectl prints.

The server makes the columns, so a list of many pods is a fraction of the objects' size and no status has to
be worked out here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import yaml

from k8swin_nb.errors import ClusterError

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PAGE = 2000
"""Rows asked for at once; the server's answer stays below some megabytes."""


@dataclass(frozen=True, slots=True)
class ApiTable:
    """A table of the API server: column names as kubectl heads them, and rows of cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    namespaces: tuple[str, ...]
    """The namespace of each row; empty for what has none."""


class ClusterApi:
    """A connection to one API server, from the text of a kubeconfig.

    The client of Kubernetes keeps what the kubeconfig holds of certificates and keys in temporary files of this
    account, which it removes when the process ends.
    """

    def __init__(self, kubeconfig: str) -> None:
        from kubernetes import client, config

        configuration = client.Configuration()
        # A proxy of the notebook server's environment must not see the cluster's address.
        configuration.proxy = None
        document = yaml.safe_load(kubeconfig)
        if not isinstance(document, dict) or not document.get("clusters"):
            raise ClusterError("the kubeconfig names no cluster", hint="run 02_master")
        config.load_kube_config_from_dict(document, client_configuration=configuration)
        self._client = client.ApiClient(configuration)

    def table(self, path: str, *, wide: bool = True) -> ApiTable:
        """Return what `kubectl get` prints for a path such as `/api/v1/nodes`.

        Args:
            path: Path of a list in the API.
            wide: With the columns of `-o wide`.

        Raises:
            ClusterError: with the status and reason of the API server's answer.
        """
        columns: list[dict[str, Any]] = []
        rows: list[tuple[Any, ...]] = []
        namespaces: list[str] = []
        token = ""
        while True:
            page = self._get(path, {"limit": PAGE, **({"continue": token} if token else {})})
            columns = page.get("columnDefinitions") or columns
            kept = [i for i, column in enumerate(columns) if wide or not column.get("priority")]
            for row in page.get("rows") or []:
                rows.append(tuple(row["cells"][i] for i in kept))
                namespaces.append(row.get("object", {}).get("metadata", {}).get("namespace", ""))
            token = page.get("metadata", {}).get("continue", "")
            if not token:
                names = tuple(columns[i]["name"].upper().replace(" ", "-") for i in kept)
                return ApiTable(names, tuple(rows), tuple(namespaces))

    def _get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        import urllib3
        from kubernetes.client.exceptions import ApiException

        configuration = self._client.configuration
        headers = {"Accept": TABLE}
        for setting in configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        url = f"{configuration.host}{path}?{urlencode(query)}"
        try:
            # The generated methods know no Table form, and their common base changed its signature
            # between releases; the layer under both did not.
            response = self._client.rest_client.request(
                "GET", url, headers=headers, _request_timeout=(10, 60)
            )
            body = response.data if getattr(response, "data", None) else response.read()
        except ApiException as error:
            raise _refused(path, error.status, error.reason) from error
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(
                f"GET {path}: no answer from {configuration.host}: {type(error).__name__}",
                hint="check that the control plane runs and can be reached from here",
            ) from error
        # Up to version 36 the layer raises what is refused, from 37 on it returns that too.
        if not 200 <= response.status < 300:
            raise _refused(path, response.status, response.reason)
        answer: dict[str, Any] = json.loads(body)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.rest_client.pool_manager.clear()


def _refused(path: str, status: int, reason: str | None) -> ClusterError:
    return ClusterError(
        f"GET {path}: the API server answered {status} {reason}", status=status, reason=str(reason)
    )
