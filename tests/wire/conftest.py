"""Fixtures of the wire's tests; where the lab is missing there are none, and the tests say why they are skipped."""

import importlib.util

if importlib.util.find_spec("k8swin_lab") is not None:
    from tests.wire.machine import host, winrm, wire

    __all__ = ["host", "winrm", "wire"]
