"""The signals of a kernel, heard at any moment, and those of the processes that a cell makes."""

import os
import signal
import time

import pytest

from tests.notebook.test_in_a_kernel import Kernel

SECONDS = 100

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.skipif(os.name == "nt", reason="a kernel is told to end otherwise there"),
]

ELSEWHERE = """
import signal, threading, time
def send():
    time.sleep(2)  # the cell is over by then, and the first thread waits for the next message
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Thread(target=send).start()
"""
"""A SIGTERM that comes as just before the first thread goes to wait: Python's own handler runs when that one wakes."""

FORKS = """
import os, signal, time
child = os.fork()
if not child:
    try:
        time.sleep(600)
    finally:
        os._exit(7)
os.kill(child, signal.SIGTERM)
print("ended by", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def kernel(tmp_path):
    kernel = Kernel(tmp_path)
    assert "Error" not in kernel.run("%load_ext k8swin_nb")
    yield kernel
    kernel.close()


def test_a_kernel_that_waits_hears_a_signal_that_another_thread_takes(kernel):
    kernel.run(ELSEWHERE)
    process = kernel.manager.provisioner.process
    deadline = time.monotonic() + SECONDS
    while process.poll() is None:
        assert time.monotonic() < deadline, "it never ended"
        time.sleep(0.1)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_process_that_a_cell_forks_ends_by_sigterm_and_the_kernel_does_not(kernel):
    """A pool's `terminate()` waited for ever."""
    assert kernel.run(FORKS) == f"ended by {-signal.SIGTERM}\n"
    time.sleep(1)  # for a kernel that takes the signal for its own
    assert kernel.run("print('still here')") == "still here\n"
