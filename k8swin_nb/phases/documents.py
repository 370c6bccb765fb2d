"""How documents for kubeadm, flannel and kubectl, which are built as data, are written as YAML.

Nothing is inserted into text: a value with a colon or a quote in it cannot change a document's shape.
"""

from __future__ import annotations

from typing import Any

import yaml

Document = dict[str, Any]


def to_yaml(*documents: Document) -> bytes:
    """Write documents as one YAML stream, keys in the given order."""
    return yaml.safe_dump_all(documents, sort_keys=False, width=100).encode()
