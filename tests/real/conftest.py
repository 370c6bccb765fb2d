"""What tests of real hosts share."""

from collections.abc import Iterator

import pytest

from k8swin_nb.headless.stopping import interrupts


@pytest.fixture(scope="session", autouse=True)
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let a signal that comes between two runs of notebooks end the tests with all that they cleaned up."""
    with interrupts():
        yield
