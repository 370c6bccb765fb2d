"""The forms, driven as objects: what is wrong stands beside its field, what is free is proposed, what is confirmed is written."""

import html
import json
from ipaddress import IPv4Network
from typing import Any

import nbformat
import pytest
import yaml

from k8swin_nb.description import check_description, open_description
from k8swin_nb.description_edit import change_description, change_host
from k8swin_nb.headless.page import write_page
from k8swin_nb.phases.network import host_form, host_widget, subnet_form
from k8swin_nb.phases.network.free_networks import Taken, proposals
from k8swin_nb.phases.preflight.checks import HOST_FACTS, HostFacts, Route
from k8swin_nb.transports.hostkeys import HostKey
from tests.conftest import ROOT
from tests.runs import make_run
from tests.test_description import WORKER, described

PARAMS = check_description(described(site_networks=["172.30.0.0/16"]))
TYPED = subnet_form.values_of(PARAMS)


def judged(**typed):
    return subnet_form.judge(PARAMS, {**TYPED, **typed})


@pytest.fixture
def file(tmp_path):
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / "mine.yaml"
    path.write_text("# ours\n" + yaml.safe_dump(described(site_networks=["172.30.0.0/16"])))
    return path


def run_of(file):
    run = make_run(description=open_description(file), options={"params_file": str(file)})
    run.interactive = True
    return run


@pytest.mark.parametrize(
    ("typed", "told", "beside"),
    [
        ({"pod_subnet": "10.100.0.0/16"}, "overlaps", {"pod_subnet", "service_subnet"}),
        ({"pod_subnet": "10.244.0.1/16"}, "host bits", {"pod_subnet"}),
        ({"pod_subnet": ""}, "not an IPv4 network", {"pod_subnet"}),
        ({"service_subnet": "nonsense"}, "not an IPv4 network", {"service_subnet"}),
        ({"host_subnet": "10.3.0.0/24"}, "layer-2 segment", {"host_subnet", "topology"}),
        ({"site_networks": ["10.5.0.0/16", "10.244.9.0/24"]}, "overlaps", {"pod_subnet", "site_networks"}),
        ({"site_networks": ["10.5.0.0/16", "x"]}, "not an IPv4 network", {"site_networks"}),
        ({"pod_subnet": "240.0.0.0/12"}, "Windows does not use", {"pod_subnet"}),
        ({"pod_subnet": "0.0.0.0/16"}, "that no host has", {"pod_subnet"}),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_the_fields_that_it_is_about(typed, told, beside):
    found = judged(**typed)
    assert {name for name, texts in found.by_field.items() if texts} == beside
    assert any(told in text for texts in found.by_field.values() for text in texts)


def test_what_fits_and_what_is_derived_is_told_when_nothing_is_wrong():
    found = judged(service_subnet="10.192.0.0/12", topology="vxlan")
    assert found.fails == []
    told = dict(subnet_form.capacity(found.plan))
    assert told["DNS service"] == "10.192.0.10" and told["API service"] == "10.192.0.1"
    assert told["nodes"] == "room for 256 nodes, 2 are planned"
    assert told["services"] == "room for 1048572 services"
    assert judged(host_subnet="10.3.0.0/24", topology="vxlan").fails == []


def nets(*texts):
    return [IPv4Network(text) for text in texts]


def test_free_networks_keep_clear_of_all_that_is_taken_and_of_each_other():
    taken = [
        Taken(network, "x") for network in nets("10.244.0.0/16", "10.246.3.0/24", "10.248.0.0/13")
    ]
    found = proposals("pod_subnet", 16, taken, nets("10.96.0.0/12"))
    assert found == nets("10.245.0.0/16", "10.247.0.0/16", "10.0.0.0/16")
    assert proposals("service_subnet", None, [], nets("10.96.0.0/16"))[0] == IPv4Network(
        "10.112.0.0/12"
    )
    assert proposals("pod_subnet", 28, [Taken(IPv4Network("10.0.0.0/9"), "x")], [])
    everything = [Taken(network, "x") for network in nets("0.0.0.0/0")]
    assert proposals("pod_subnet", 24, everything, []) == []


def test_where_a_site_routes_all_private_addresses_to_its_router_those_within_come_last():
    wide = Taken(IPv4Network("10.0.0.0/8"), "h: route via 10.1.0.1", summary=True)
    assert proposals("pod_subnet", 16, [wide], [])[0] == IPv4Network("172.16.0.0/16")
    walls = [Taken(network, "x") for network in nets("172.16.0.0/12", "192.168.0.0/16")]
    assert proposals("pod_subnet", 16, [wide, *walls], [])[0] == IPv4Network("10.244.0.0/16")


def test_proposals_use_the_routes_of_the_hosts_that_were_asked():
    run = make_run(description=PARAMS)
    before = subnet_form.free_for("pod_subnet", run, TYPED)
    assert before[0] == IPv4Network("10.245.0.0/16")
    assert "have not been asked" in subnet_form.source_of_routes(run)
    routes = [Route(IPv4Network("10.245.0.0/17"), "eth1"), Route(IPv4Network("0.0.0.0/0"), "eth0", "10.1.0.1")]  # fmt: skip
    run.facts.keep(run.master, HOST_FACTS, HostFacts(routes=routes))
    assert IPv4Network("10.245.0.0/16") not in subnet_form.free_for("pod_subnet", run, TYPED)
    assert "by the routes of linuxmaster" in subnet_form.source_of_routes(run)


def test_headless_and_without_ipywidgets_the_form_is_a_static_table_of_the_same(monkeypatch):
    for run in (make_run(description=PARAMS), make_run(description=PARAMS)):
        text = repr(subnet_form.form(run))
        for part in ("10.244.0.0/16", "fits", "10.245.0.0/16", "DNS service", "10.96.0.10"):
            assert part in text
        run.interactive = True
        monkeypatch.setattr(subnet_form, "find_spec", lambda name: None)
    wrong = check_description(described(pod_subnet="10.96.0.0/16"))
    assert "✗ `pod_subnet` 10.96.0.0/16 overlaps" in repr(
        subnet_form.form(make_run(description=wrong))
    )


def test_typing_judges_at_once_beside_the_field_and_a_proposal_fills_it(file):
    form = subnet_form.form(run_of(file))
    pods = form.fields["pod_subnet"]
    assert "do not collide" in form.verdict.value
    pods.value = "10.96.0.0/16"
    assert "overlaps" in form.problems["pod_subnet"].value
    assert form.problems["host_subnet"].value == ""
    assert "overlaps" in form.problems["service_subnet"].value
    assert "✗ overlaps" in form.drawing.value
    pods.value = "nonsense"
    assert form.drawing.value == ""
    proposed = form.free["pod_subnet"].children[1]
    free = proposed.description
    proposed.click()
    assert pods.value == free == "10.244.0.0/16"
    # The buttons stay, and with them the focus; what they propose goes on.
    assert form.free["pod_subnet"].children[1] is proposed and proposed.description != free
    assert form.problems["pod_subnet"].value == ""


def test_a_change_is_written_when_it_is_confirmed_and_not_before(file):
    before = file.read_text()
    form = subnet_form.form(run_of(file))
    form.fields["topology"].value = "vxlan"
    shown = form.writer.shown.value
    assert "+topology: vxlan" in shown
    assert "change_description(" in shown and "topology=&#x27;vxlan&#x27;" in shown
    form.writer.confirm.click()
    assert file.read_text() == before and "tick the box" in form.writer.told.value
    form.writer.sure.value = True
    form.fields["site_networks"].value = "172.30.0.0/16 10.20.0.0/16"
    assert not form.writer.sure.value, "another change is confirmed anew"
    form.writer.sure.value = True
    form.writer.confirm.click()
    written = open_description(file)
    assert (written.topology, written.site_networks) == ("vxlan", ["172.30.0.0/16", "10.20.0.0/16"])
    assert file.read_text().startswith("# ours\n")
    assert "written to" in form.writer.told.value
    form.writer.confirm.click()
    assert "written to" in form.writer.told.value
    form.fields["topology"].value = "host-gw"
    assert "-topology: vxlan" in form.writer.shown.value, "it is compared with what was written"


def test_somebody_elses_change_in_the_meantime_is_not_written_over(file):
    form = subnet_form.form(run_of(file))
    form.fields["topology"].value = "vxlan"
    file.write_text(file.read_text() + "# theirs\n")
    form.writer.sure.value = True
    form.writer.confirm.click()
    assert "by somebody else" in form.writer.told.value and "alert" in form.writer.told.value
    assert "vxlan" not in file.read_text()
    assert not form.writer.sure.value, "the difference is another one now"
    form.writer.sure.value = True
    form.writer.confirm.click()
    assert file.read_text().endswith("# theirs\n") and "vxlan" in file.read_text()


def test_a_change_that_collides_with_what_another_notebook_wrote_is_not_offered(file):
    form = subnet_form.form(run_of(file))
    change_description(file, pod_subnet="10.112.0.0/16").write()
    form.fields["service_subnet"].value = "10.112.0.0/12"
    assert "holds other networks than this form began with" in form.writer.shown.value
    before = file.read_text()
    form.writer.sure.value = True
    form.writer.confirm.click()
    assert file.read_text() == before and "nothing is written" in form.writer.told.value


@pytest.mark.parametrize(
    "pasted",
    [
        "10.5.0.0/16;10.6.0.0/16",
        '["10.5.0.0/16", "10.6.0.0/16"]',
        "- 10.5.0.0/16 - 10.6.0.0/16",
        " 10.5.0.0/16\t10.6.0.0/16, 10.5.0.0/16,",
        "10.5.0.0/16\uff0c10.6.0.0/16",
    ],
)
def test_a_list_is_taken_as_it_was_pasted(pasted):
    assert subnet_form.split_networks(pasted) == ["10.5.0.0/16", "10.6.0.0/16"]


@pytest.mark.parametrize("prefix", [25, 28, 29, 31, 32])
def test_a_service_network_that_is_too_small_is_told_and_drawn_as_any_other(file, prefix):
    form = subnet_form.form(run_of(file))
    form.fields["service_subnet"].value = f" 10.97.0.0/{prefix}, "
    assert ("too small" in form.problems["service_subnet"].value) == (prefix > 27)
    assert f"10.97.0.0/{prefix}" in form.drawing.value
    form.fields["site_networks"].value = " ".join(f"10.244.{n}.0/24" for n in range(99))
    assert form.problems["site_networks"].value.count("✗") == 6
    assert "and 94 more like these" in form.problems["site_networks"].value


def test_an_exported_form_is_its_static_table(file):
    data = subnet_form.form(run_of(file))._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<table" in data["text/html"] and "10.244.0.0/16" in data["text/plain"]
    output = nbformat.v4.new_output("display_data", data)
    cell = nbformat.v4.new_code_cell("phase.subnet_form()", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    # As JupyterLab saves it where somebody has turned that on.
    state = {data["application/vnd.jupyter.widget-view+json"]["model_id"]: {}}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    nbformat.write(notebook, file.parent / "01_network.ipynb")
    page = write_page(file.parent, [file.parent / "01_network.ipynb"]).read_text()
    assert "10.245.0.0/16" in page and "widget-view" not in page


WORKER_FIELDS = {"address": "10.1.0.9", "user": "Administrator"}
KEY = HostKey("ssh-ed25519", "SHA256:abc", "AAAAC3NzaC1lZDI1NTE5AAAAIHpW")


def host_form_of(file) -> Any:
    return host_form.form(file, interactive=True)


def filled(form, **values):
    for name, value in values.items():
        form.fields[name].value = value
    return form


def test_a_host_that_is_typed_is_judged_beside_its_fields_and_written_when_it_is_confirmed(file):
    form = host_form_of(file)
    assert "is still missing" in form.problems["address"].value
    form.test.click()
    form.fetch.click()
    for place in (form.tried, form.seen):
        assert "Address: is still missing" in place.value
    filled(form, name="winworker09", address="10.1.0.999", user="Administrator")
    assert "✗" in form.problems["address"].value and "`address`" in form.problems["address"].value
    assert "is still missing" in form.problems["secret"].value
    form.fields["address"].value = WORKER["address"]
    assert "are both" in form.problems["address"].value
    form.fields["address"].value = "10.1.0.9"
    form.kind.value, form.place.value = "file", "../.k8swin/winworker09.password"
    assert "umask 077" in form.keep.value
    assert [name for name, place in form.problems.items() if "✗" in place.value] == []
    shown = form.writer.shown.value
    assert "+- name: winworker09" in shown and "change_host(" in shown
    form.fields["address"].value = "10.244.0.9"
    assert "lies in `pod_subnet`" in form.problems["address"].value
    assert "+  address: 10.244.0.9" in form.writer.shown.value, (
        "it may be the network that is to be changed"
    )
    form.fields["address"].value = "10.1.0.9"
    assert form.problems["address"].value == ""
    form.writer.sure.value = True
    form.writer.confirm.click()
    host = open_description(file).hosts[-1]
    assert (host.name, host.address, host.credential) == (
        "winworker09",
        "10.1.0.9",
        "file:../.k8swin/winworker09.password",
    )
    assert form.which.value == "winworker09" and form.fields["name"].disabled
    assert "written to" in form.writer.told.value
    form.fields["address"].value = "10.1.0.8"
    assert form.writer.told.value == "", "what is shown now is not written"
    boxes = [one for one in _all(form) if type(one).__name__ == "Checkbox"]
    assert len(boxes) == 2 and {box.layout.width for box in boxes} == {"auto"}


def test_a_host_that_is_there_shows_its_fields_and_what_the_form_has_no_field_for_stays(file):
    change_host(file, "winworker01", labels={"hall": "north"}, winrm_auth="ntlm").write()
    form = host_form_of(file)
    form.which.value = "winworker01"
    assert form.fields["address"].value == "10.1.0.3"
    assert "says the same" in form.writer.shown.value
    form.kind.value, form.place.value = "env", "WIN_TWO"
    form.writer.sure.value = True
    form.writer.confirm.click()
    host = {host.name: host for host in open_description(file).hosts}["winworker01"]
    assert (host.credential, host.labels) == ("env:WIN_TWO", {"hall": "north"})
    form.which.value = host_widget.NEW
    filled(form, name="winworker01")
    assert "is there already" in form.problems["name"].value


def test_a_secret_that_is_typed_in_place_of_its_name_is_emptied_and_nowhere_in_the_widgets(file):
    form = filled(host_form_of(file), name="winworker09", **WORKER_FIELDS)
    for kind in ("env", "file", "keyring", "cmd"):
        form.kind.value, form.place.value = kind, "Passw0rd-2026!"
        assert form.place.value == ""
        assert "does not belong here" in form.problems["secret"].value
    form.kind.value, form.place.value = "env", "Summer2026"
    assert form.place.value == ""
    form.kind.value, form.place.value = "env", "WIN_PW"
    form.fields["os"].value = "linux"
    assert form.keep.value == "", "a login with a key has no secret to keep"
    form.fields["identity"].value = "-----BEGIN OPENSSH PRIVATE KEY----- Summer"
    assert form.fields["identity"].value == "" and "path" in form.problems["identity"].value
    state = json.dumps([widget.get_state() for widget in _all(form)], default=str)
    assert "Summer" not in state
    assert "Passw0rd" not in state and "winworker09" in state


def test_a_form_says_so_when_somebody_took_the_host_out_or_broke_the_file(file):
    form = host_form_of(file)
    form.which.value = "winworker01"
    whole = file.read_text()
    file.write_text(whole.replace("winworker01", "winworker77"))
    form.fields["address"].value = "10.1.0.33"
    assert "is no longer in" in form.writer.shown.value
    file.write_text("hosts: [")
    form.which.value = "linuxmaster"
    assert "is not YAML" in form.problems[""].value
    form.writer.sure.value = True
    form.writer.confirm.click()
    assert file.read_text() == "hosts: ["


def test_where_a_secret_is_kept_already_is_no_mistake(file):
    change_host(file, "winworker01", credential="file:win.password").write()
    form = host_form_of(file)
    form.which.value = "winworker01"
    assert form.place.value == "win.password" and "✗" not in form.problems["secret"].value


def test_another_kind_of_place_is_asked_for_plainly_and_each_keeps_what_was_typed_for_it(file):
    form = filled(host_form_of(file), name="winworker09", **WORKER_FIELDS)
    kinds = {"env": "WIN_PW", "file": "../.k8swin/w.password", "keyring": "windows/winworker09"}
    for kind, place in kinds.items():
        form.kind.value = kind
        told = form.problems["secret"].value
        assert form.place.value == "" and "is still missing: write" in told and "✗" not in told
        form.place.value = place
        assert form.problems["secret"].value == ""
    for kind, place in kinds.items():
        form.kind.value = kind
        assert (form.place.value, form.problems["secret"].value) == (place, "")
        assert f"{kind}:{place}" in form.writer.shown.value
    # What was refused is not kept, and the red word was about the other kind.
    form.place.value = "Passw0rd-2026!"
    form.kind.value = "env"
    assert form.place.value == "WIN_PW"
    form.kind.value = "keyring"
    assert form.place.value == kinds["keyring"] and form.problems["secret"].value == ""
    # Of another host nothing is known yet.
    form.which.value = "winworker01"
    form.which.value = host_widget.NEW
    form.kind.value = "file"
    assert form.place.value == ""


def _all(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all(child)


def test_a_key_is_pinned_only_when_the_console_shows_the_same(file, monkeypatch):
    monkeypatch.setattr(host_widget, "scan_through", lambda host: KEY)
    form = host_form_of(file)
    form.which.value = "linuxmaster"
    form.same.value = True
    form.pin.click()
    assert "press `Fetch its key` first" in form.seen.value and not form.same.value
    form.fetch.click()
    assert "SHA256:abc" in form.seen.value and "ssh_host_ed25519_key.pub" in form.seen.value
    known = open_description(file).host_keys()
    form.pin.click()
    assert "tick the box" in form.seen.value and "SHA256:abc" in form.seen.value
    assert not known.exists()
    form.same.value = True
    form.pin.click()
    assert f"10.1.0.2 ssh-ed25519 {KEY.base64}" in known.read_text()
    assert "is pinned in" in form.seen.value
    form.fetch.click()
    form.same.value = True
    form.fields["address"].value = "10.1.0.5"
    assert form.seen.value == "" and not form.same.value, "another address has another key"


def test_nothing_that_is_pressed_is_ever_disabled_so_that_tab_stops_there_and_the_focus_stays(file):
    for form in (host_form_of(file), subnet_form.form(run_of(file))):
        pressed = [one for one in _all(form) if type(one).__name__ in ("Button", "Checkbox")]
        assert pressed and not any(one.disabled for one in pressed)
        for one in [one for one in pressed if type(one).__name__ == "Button"]:
            if one.description != "Ask the hosts for their routes":
                one.click()
        assert not any(one.disabled for one in pressed)


def test_a_port_of_the_sites_own_stays_when_the_scheme_changes(file):
    form = filled(host_form_of(file), winrm_scheme="http")
    assert form.fields["winrm_port"].value == "5985"
    filled(form, winrm_port="55985", winrm_scheme="https")
    assert form.fields["winrm_port"].value == "55985"


def test_a_certificate_is_pinned_in_the_description(file, monkeypatch):
    monkeypatch.setattr(host_widget, "certificate_fingerprint", lambda host: "5f" * 32)
    form = host_form_of(file)
    form.which.value = "winworker01"
    form.fetch.click()
    shown = html.unescape(form.seen.value)
    assert host_widget.CERTIFICATE in shown
    assert host_widget.CERTIFICATE in (ROOT / "docs" / "connections.md").read_text()
    form.same.value = True
    form.pin.click()
    assert form.fields["winrm_fingerprint"].value == "5f" * 32
    assert f"+  winrm_fingerprint: {'5f' * 32}" in form.writer.shown.value


def test_the_hosts_are_a_static_table_where_nobody_can_type(file, monkeypatch):
    run = run_of(file)
    run.interactive = False
    for shown in (host_form.form_of(run), host_form.form(file, interactive=False)):
        text = repr(shown)
        for part in ("linuxmaster", "not pinned yet", "https://10.1.0.3:5986", "env:WIN_PASSWORD"):
            assert part in text
    monkeypatch.setattr(host_form, "find_spec", lambda name: None)
    assert "not pinned yet" in repr(host_form.form(file, interactive=True))
    assert "not pinned yet" in repr(host_form.form_of(make_run(description=PARAMS)))
