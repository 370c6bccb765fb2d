"""Fixtures of the wire's tests; where the lab is missing there are none, and the tests say why they are skipped."""

try:
    import k8swin_lab  # noqa: F401
except ImportError:
    pass
else:
    from tests.wire.machine import host, winrm, wire

    __all__ = ["host", "winrm", "wire"]
