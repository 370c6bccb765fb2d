"""Generated names: suffixes over the consonants and digits that Kubernetes uses."""

from __future__ import annotations

import json
import secrets

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def suffix(length: int = 5) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def template_hash(template: object) -> str:
    """Return a stable hash of a pod template in the form of `pod-template-hash`."""
    value = 2166136261
    for byte in json.dumps(template, sort_keys=True).encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return "".join(_ALPHABET[int(digit) % len(_ALPHABET)] for digit in str(value))
