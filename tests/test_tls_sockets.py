"""A connection that is reset before TLS leaves no socket open: to an API server, a WinRM listener, or to look at a certificate."""

import contextlib
import gc
import ssl
import warnings

import pytest

from k8swin_nb.errors import ClusterError
from k8swin_nb.inventory import Host
from k8swin_nb.tls_sockets import closing
from k8swin_nb.transports.certificate import presented
from k8swin_nb.transports.winrm_tls import Trust
from tests.cluster.api_server import Server, read
from tests.resets import reset


@pytest.fixture(autouse=True)
def all_are_closed(recwarn):
    warnings.simplefilter("always")
    yield
    gc.collect()
    assert [str(one.message) for one in recwarn if "unclosed" in str(one.message)] == []


def test_of_an_api_server(tmp_path):
    """Of one behind a load balancer that has none, each attempt would leave a socket."""
    with (
        contextlib.closing(Server(tmp_path)) as server,
        pytest.raises(ClusterError, match="no answer"),
    ):
        read(server.api(dial=reset))


def test_of_a_server_whose_certificate_is_looked_at():
    with pytest.raises(OSError, match=r"reset|not connected"):
        presented("127.0.0.1", 0, dial=reset)


@pytest.mark.parametrize("trust", ["the system's", "a file's", "a fingerprint's"])
def test_of_a_winrm_listener(trust, tmp_path):
    import certifi

    more = {"a file's": {"ca": certifi.where()}, "a fingerprint's": {"winrm_fingerprint": "0" * 64}}
    host = Host("w", "127.0.0.1", "windows", ("worker",), "u", **more.get(trust, {}))
    context = Trust(host).pool_options()["ssl_context"]
    with pytest.raises(OSError, match=r"reset|closed"):
        context.wrap_socket(reset(), server_hostname="localhost")


def test_what_a_context_has_of_its_own_stays():
    class Own(ssl.SSLSocket):
        pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = Own
    made = closing(context).sslsocket_class
    assert issubclass(made, Own)
    assert closing(context).sslsocket_class is made, "twice is once"


def test_a_connection_whose_end_was_heard_before_is_its_owners():
    """The system tells of a reset once; Python goes on then with a connection that is none."""
    made = reset()
    with pytest.raises(ConnectionResetError):
        made.recv(1)
    context = closing(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    with context.wrap_socket(made, server_hostname="localhost") as secured:
        assert secured.fileno() >= 0 and secured.version() is None
