"""What the tests of the cluster's view share."""

import pytest

from tests.cluster.api_server import Server


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path)
    yield made
    made.close()
