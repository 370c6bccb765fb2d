"""Tests of real hosts that a signal stops: none of them goes on where the hosts are no longer theirs."""

import os
import signal
import time

import pytest

from tests.real import test_real_host


def test_a_signal_that_stops_the_notebooks_ends_all_tests_of_real_hosts(tmp_path, monkeypatch):
    def stopped(*_, stop, **__):
        with stop.on_signals(lambda _: None):
            os.kill(os.getpid(), signal.SIGTERM)
            while not stop.requested:
                time.sleep(0.01)
        return tmp_path, []

    monkeypatch.setattr(test_real_host, "run_notebooks", stopped)
    with pytest.raises(pytest.exit.Exception) as ended:
        test_real_host.execute(tmp_path / "params.yaml", tmp_path, "02_master")
    assert ended.value.returncode == 128 + signal.SIGTERM
