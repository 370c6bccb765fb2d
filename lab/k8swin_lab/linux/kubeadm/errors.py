"""How kubeadm ends when it cannot go on."""

from __future__ import annotations


class KubeadmError(Exception):
    """The text after "error: "; `code` is the exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def in_phase(phase: str, text: str) -> KubeadmError:
    """Return an error of a phase."""
    return KubeadmError(f"error execution phase {phase}: {text}")
