"""Windows servers become workers and are taken apart again. Everything on them may be lost.

04, 04 again, a reboot, 05, 06, 90, 90 again: what runs a second time changes nothing.
"""

import pytest

from k8swin_nb.fan_out import on_each
from k8swin_nb.phases.windows.detached import reboot
from k8swin_nb.workflow.record import read_events
from tests.windows.site import (
    LOOK_ONLY,
    MASTER,
    NO_MASTER,
    NOT_GIVEN,
    ONLY_LOOKED,
    PARAMS,
    SERVERS,
    not_done,
)

JOIN = "04_join_windows"

FAILED = pytest.StashKey[set[str]]()

pytestmark = [
    pytest.mark.windows,
    pytest.mark.timeout(14_400),  # a server may install updates while it boots
    pytest.mark.skipif(not SERVERS, reason=NOT_GIVEN),
    pytest.mark.skipif(LOOK_ONLY, reason=ONLY_LOOKED),
    pytest.mark.skipif(not (PARAMS or MASTER), reason=NO_MASTER),
]


@pytest.fixture
def run(site, report):
    """Run notebooks under a name of the report; return how steps ended, when no notebook failed."""

    def run(what, *names, **more):
        steps, errors, folder = site.run(*names, **more)
        report.steps(what, read_events(folder / "events.jsonl"))
        assert errors == {}
        return steps

    return run


@pytest.fixture(autouse=True)
def on_what_the_one_before_left(request):
    """Servers on which a test failed are not as the next one needs them: it would say nothing."""
    module = request.module.__name__
    failed = request.session.stash.setdefault(FAILED, set())
    if module in failed:
        pytest.skip("a test before it failed on these servers")
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        failed.add(module)


def ready(site):
    nodes = site.cluster.nodes()
    return dict(zip(nodes["NAME"], nodes["STATUS"], strict=True))


def test_there_is_a_cluster_to_join(run):
    run("control plane", "01_network", "02_master", "03_flannel")


def test_the_servers_join(run, site):
    run("join", JOIN)
    assert {ready(site)[server.name] for server in site.servers} == {"Ready"}


def test_joining_again_changes_nothing(run):
    assert not_done(run("join again", JOIN)) == {}


def test_they_come_back_by_themselves_after_a_reboot(run, site):
    phase = site.cluster.phase(JOIN, target=site.servers[0].address)
    on_each(
        site.servers,
        lambda server: reboot(phase.run.at(server, "reboot", "apply")),
        name=lambda server: server.name,
        cancel=phase.run.cancel,
    ).all()
    assert not_done(run("after a reboot", JOIN)) == {}
    assert {ready(site)[server.name] for server in site.servers} == {"Ready"}


def test_windows_pods_serve(run):
    run("test app", "05_test_app")


def test_every_connection_is_as_it_should_be(run):
    run("connections", "06_verify")


def test_the_servers_are_taken_apart(run, site):
    for server in site.servers:
        words = f"{site.description.cluster_name}: {server.name}"
        run(f"removal of {server.name}", "90_teardown", ip=server.address, confirm=words)
    assert {server.name for server in site.servers} & set(ready(site)) == set()


def test_taking_apart_again_changes_nothing(run, site):
    for server in site.servers:
        words = f"{site.description.cluster_name}: {server.name}"
        again = run(
            f"removal of {server.name} again", "90_teardown", ip=server.address, confirm=words
        )
        assert not_done(again) == {}
