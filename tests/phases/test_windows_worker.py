"""Phase 04 on Windows: both profiles have the same steps, and every program is given flags that it knows."""

import json
import re
import time
from pathlib import Path

import pytest
import yaml

from k8swin_nb.description import Description, check_description
from k8swin_nb.errors import AuthenticationFailed, ParamsError, StepFailed, TransportError
from k8swin_nb.phases import phase_04_join_windows as join_windows
from k8swin_nb.phases.linux.control_plane import check_join, node_pod_cidr
from k8swin_nb.phases.windows import cni, detached, join
from k8swin_nb.phases.windows import configuration as windows_node
from k8swin_nb.phases.windows import services as windows_services
from k8swin_nb.phases.windows.artifacts import CLASSIC_LAYOUT, SDN_SCRIPTS, worker_artifacts
from k8swin_nb.phases.windows.configuration import SERVER
from k8swin_nb.scripts import Script
from k8swin_nb.workflow.step import State
from k8swin_nb.workflow.step_run import StepRun
from tests.runs import Hosts, at, make_run
from tests.test_description import described

ROOT = Path(__file__).parent.parent.parent
FLAGS = json.loads((ROOT / "tests" / "data" / "windows" / "flags.json").read_text())
CLASSIC = {"profile": "classic"}
SERVICES = {
    "current": (
        windows_services.kubelet_service,
        windows_services.flanneld_service,
        windows_services.kube_proxy_service,
    ),
    "classic": (
        windows_services.classic_kubelet_service,
        windows_services.classic_flanneld_service,
        windows_services.classic_kube_proxy_service,
    ),
}


@pytest.fixture
def make(tmp_path):
    """Make what the steps are given on a Windows worker; answers of scripts are given by name."""

    def make(answers=None, **changes) -> StepRun:
        step = at(make_run(tmp_path, Hosts(answers), **changes), "winworker01", verb="apply")
        step.run.facts.keep(step.host, SERVER, {"build": 17763})
        return step

    return make


def asked(step: StepRun) -> list[str]:
    """Return the scripts that were run, and where the connection was let go of."""
    return step.run.connections.scripts


def described_classic(**changes) -> Description:
    return check_description(described(**CLASSIC, **changes))


def words(definition):
    """The flags of a service's program, also where a script of ours stands before it."""
    given = str(definition["arguments"]).split(" ")
    for file in definition.get("files", ()):
        if file["path"].endswith(".json"):
            given = json.loads(file["text"])["arguments"]
    pairs = (word.partition("=") for word in given)
    return {flag: value for flag, _, value in pairs}


def test_every_step_is_there_in_both_profiles():
    phase = join_windows.PHASE
    classic = phase.variant("classic")
    assert [step.name for step in phase.steps] == [step.name for step in classic.steps]
    assert [step.title for step in phase.steps] == [step.title for step in classic.steps]
    assert [step.on for step in phase.steps] == [step.on for step in classic.steps]
    differing = {a.name for a, b in zip(phase.steps, classic.steps, strict=True) if a != b}
    assert differing == set(join_windows.CLASSIC)


def test_no_step_of_classic_runs_a_script_of_containerd_or_kubeadm():
    scripts = [
        name for step in join_windows.PHASE.variant("classic").steps for name in step.scripts
    ]
    text = "\n".join(
        Script.load(name).text
        for name in scripts
        # the runtime is a parameter of these
        if name.startswith("windows/") and "preflight" not in name
    )
    assert not re.search(r"containerd\.exe|ctr\.exe|crictl\.exe|kubeadm\.exe", text)


@pytest.mark.parametrize("topology", ["host-gw", "vxlan"])
@pytest.mark.parametrize("definition", SERVICES["current"], ids=lambda d: d.__name__)
def test_every_flag_of_the_current_services_is_one_of_the_windows_build(make, definition, topology):
    step = make(topology=topology)
    step.run.facts.keep(step.host, windows_services.SOURCE_VIP, "10.244.1.9")
    defined = definition(step.run, step.host)
    known = FLAGS[str(defined["name"])]["flags"]
    for flag, value in words(defined).items():
        assert flag in known
        # a flag that takes a value is given one here, be it the empty one, and a boolean only a truth value
        assert known[flag] or value in ("", "true", "false")


def test_an_early_flanneld_is_given_only_flags_that_it_has(make):
    step = make(**CLASSIC)
    assert step.description.flannel_version == "0.11.0"
    defined = windows_services.classic_flanneld_service(step.run, step.host)
    told = json.loads(defined["files"][1]["text"])
    given = {word.partition("=")[0] for word in told["arguments"]}
    assert "--iface" in given and given <= set(FLAGS["flanneld 0.11"]["flags"])
    # it looks for its configuration here and nowhere else
    assert r"C:\etc\kube-flannel\net-conf.json" in windows_node.NET_CONF_FILES["classic"]


def test_every_flag_given_to_kubeadm_is_one_of_the_windows_build():
    found = []
    for path in (ROOT / "k8swin_nb" / "scripts" / "windows").glob("*.ps1"):
        for command, rest in re.findall(r"kubeadm\.exe (join|reset)\b([^\n|]*)", path.read_text()):
            given = re.findall(r"(?<=\s)--?[a-z][\w-]*", rest)
            found += given
            assert set(given) <= set(FLAGS[f"kubeadm {command}"]["flags"]), path.name
    assert found


@pytest.mark.parametrize(
    ("version", "wanted", "unwanted"),
    [
        ("1.36.4", [], ["--container-runtime", "--container-runtime-endpoint"]),
        ("1.35.2", ["--container-runtime-endpoint"], ["--container-runtime"]),
        ("1.27.3", ["--container-runtime-endpoint"], ["--container-runtime"]),
        ("1.26.9", ["--container-runtime-endpoint", "--container-runtime"], []),
    ],
)
def test_the_kubelet_is_told_of_its_runtime_by_version(make, version, wanted, unwanted):
    step = make(kubernetes_version=version)
    given = words(windows_services.kubelet_service(step.run, step.host))
    assert set(wanted) <= set(given)
    assert not {*unwanted, "--pod-infra-container-image", "--log-dir"} & set(given)


@pytest.mark.parametrize(("version", "passed"), [("1.13.12", True), ("1.18.20", False)])
def test_containers_may_be_privileged_only_where_the_kubelet_has_the_flag(make, version, passed):
    step = make(**CLASSIC, kubernetes_version=version)
    given = words(windows_services.classic_kubelet_service(step.run, step.host))
    assert ("--allow-privileged" in given) is passed
    assert given["--network-plugin"] == "cni" and given["--node-ip"] == step.host.address


@pytest.mark.parametrize(
    ("version", "gated"), [("1.33.4", True), ("1.34.3", False), ("1.36.4", False)]
)
def test_kube_proxy_on_an_encapsulated_network_has_its_address_and_gate(make, version, gated):
    step = make(topology="vxlan", kubernetes_version=version)
    step.run.facts.keep(step.host, windows_services.SOURCE_VIP, "10.244.1.9")
    given = words(windows_services.kube_proxy_service(step.run, step.host))
    assert given["--source-vip"] == "10.244.1.9"
    assert given["--network-name"] == "flannel.4096"
    assert given["--bind-address"] == step.host.address
    assert ("--feature-gates" in given) is gated
    plain = make()
    assert "--source-vip" not in words(windows_services.kube_proxy_service(plain.run, plain.host))


def test_the_dns_server_and_networks_of_classic_come_from_the_plan(make):
    step = make(**CLASSIC, service_subnet="10.192.0.0/12")
    given = words(windows_services.classic_kubelet_service(step.run, step.host))
    assert given["--cluster-dns"] == "10.192.0.10"
    conf = json.loads(cni.dockershim_cni_conf(step.plan, step.host.address))
    delegate = conf["delegate"]
    assert delegate["dns"]["nameservers"] == ["10.192.0.10"]
    nat, services, node = [policy["value"] for policy in delegate["policies"]]
    nodes = [f"{address}/32" for _, address, _ in step.plan.nodes]
    assert nat["ExceptionList"] == ["10.244.0.0/16", "10.192.0.0/12", *nodes]
    assert services["DestinationPrefix"] == "10.192.0.0/12"
    assert node["DestinationPrefix"] == f"{step.host.address}/32"
    # dockershim names containers: the second version of the interface would look for a namespace
    assert "apiVersion" not in delegate


def test_the_classic_lock_pins_microsofts_scripts_by_commit_and_hash():
    listed = {entry["name"]: entry for entry in json.loads(worker_artifacts(described_classic()))}
    assert set(listed) == set(CLASSIC_LAYOUT)
    for name in SDN_SCRIPTS:
        assert re.search(r"/SDN/[0-9a-f]{40}/Kubernetes/", listed[name]["url"])
        assert len(listed[name]["hash"]) == 64 and listed[name]["to"] == rf"C:\k\{name}"
    assert listed["kubernetes-node"]["algorithm"] == "SHA512"
    assert listed["docker"]["hash"].isalnum() and len(listed["docker"]["hash"]) == 64


@pytest.mark.parametrize(
    "entry",
    [
        {"url": "https://x/y"},
        {"url": "https://x/y", "sha256": "a" * 64, "sha512": "a" * 128},
        {"url": "https://x/y", "sha256": "latest"},
    ],
)
def test_a_lock_without_exactly_one_hash_is_refused(tmp_path, entry):
    lock = yaml.safe_load(
        (ROOT / "k8swin_nb" / "phases" / "windows" / "artifacts-classic.yaml").read_text()
    )
    lock["artifacts"]["docker"] = entry
    file = tmp_path / "lock.yaml"
    file.write_text(yaml.safe_dump(lock))
    with pytest.raises(ParamsError, match="not valid"):
        worker_artifacts(described_classic(artifacts=str(file)))


def test_a_lock_of_the_other_profile_is_refused():
    lock = str(ROOT / "k8swin_nb" / "phases" / "windows" / "artifacts.yaml")
    with pytest.raises(ParamsError, match=r"lacks: .*docker"):
        worker_artifacts(described_classic(artifacts=lock))


def test_the_images_are_those_of_the_build(make):
    step = make(**CLASSIC)
    images = windows_node.images(step.run, step.host).split()
    assert "mcr.microsoft.com/windows/nanoserver:ltsc2019" in images
    assert "mcr.microsoft.com/windows/servercore:ltsc2019" in images
    current = make()
    current.run.facts.keep(current.host, SERVER, {"build": 26100})
    images = windows_node.images(current.run, current.host).split()
    assert images == [
        "registry.k8s.io/pause:3.10.2",
        "mcr.microsoft.com/windows/servercore:ltsc2025",
    ]


def test_microsofts_images_come_from_the_registry_that_is_named(make):
    step = make(**CLASSIC, windows_repository="mirror.example/windows")
    images = windows_node.images(step.run, step.host).split()
    assert "mirror.example/windows/nanoserver:ltsc2019" in images
    assert "mirror.example/windows/servercore:ltsc2019" in images


@pytest.mark.parametrize(
    ("version", "has", "lacks"),
    [
        ("2.3.4", ["version = 3", "bin_dirs = [", "cri.v1.runtime'.cni"], ["grpc.v1.cri"]),
        ("2.0.7", ["version = 3", "  bin_dir = '"], ["bin_dirs"]),
        ("1.7.29", ["version = 2", "sandbox_image = ", "grpc.v1.cri'.cni"], ["cri.v1.runtime"]),
    ],
)
def test_containerd_is_configured_in_the_format_of_its_version(version, has, lacks):
    description = check_description(described(containerd_version=version))
    text = windows_node.containerd_config(description)
    assert all(part in text for part in has)
    assert not any(part in text for part in lacks)
    import tomllib

    assert tomllib.loads(text)["root"] == r"C:\ProgramData\containerd\root"


@pytest.mark.parametrize("profile", ["current", "classic"])
def test_a_step_that_was_not_asked_for_says_why_it_is_skipped(make, profile):
    step = make(profile=profile)
    phase = join_windows.PHASE.variant(profile)
    reasons = {
        name: phase.step(name).when(step) for name in ("windows-update", "defender", "source-vip")
    }
    assert all(reasons.values())
    wanted = make(windows_update=True, defender_exclusions=True, topology="vxlan")
    assert not any(phase.step(name).when(wanted) for name in reasons)


JOINED = (0, "this worker has joined https://10.1.0.2:6443 and its kubelet runs\n")


def test_a_worker_whose_node_was_deleted_is_registered_again(make):
    answers = {
        "windows/join.check.ps1": JOINED,
        "linux/node_pod_cidr.check.sh": (10, "the control plane has no node winworker01\n"),
    }
    step = make(answers)
    verdict = check_join(step)
    assert verdict.state is State.NEEDED and "has no node" in verdict.detail


@pytest.mark.parametrize("told", ["0.0.0.0/0", "10.1.0.0/24", "10.244.0.0/15", "10.244.1.0/24; x"])
def test_a_pod_network_that_is_none_of_the_plans_never_reaches_a_worker(make, told):
    step = make({"linux/node_pod_cidr.check.sh": (0, f"{told}\n")})
    with pytest.raises(StepFailed, match=r"expected a network in 10\.244\.0\.0/16"):
        node_pod_cidr(step)
    step = make({"linux/node_pod_cidr.check.sh": (0, "10.244.1.7/255.255.255.0\n")})
    assert node_pod_cidr(step) == (State.OK, "10.244.1.0/24")


def test_a_worker_of_another_cluster_is_drift_and_the_master_is_not_asked(make):
    step = make({"windows/join.check.ps1": (20, "this worker belongs to another\n")})
    assert check_join(step).state is State.DRIFT
    assert asked(step) == ["windows/join.check.ps1"]


STATUS, START = "windows/job.status.ps1", "windows/pod_network.apply.ps1"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(detached, "INTERVAL", 0.0)


def lost():
    return TransportError("winworker01", "connection reset")


def test_a_job_is_followed_through_the_loss_of_the_connection(make, quick):
    step = make(
        {
            STATUS: [(0, "pending there is no task"), lost(), (0, "waiting 4 s"), (0, "done up")],
            START: (0, "the job is started"),
        }
    )
    said: list[str] = []
    step.run.on_output = lambda host, stream, text: said.append(text)
    detached.await_pod_network(step)
    assert asked(step) == [STATUS, START, STATUS, "reconnect", STATUS, STATUS]
    assert any(line.startswith("disrupted") for line in said)


def test_the_job_is_given_the_pod_network_of_the_node(make, quick):
    """Without it flanneld makes its bridge itself, on the adapter that HNS takes first."""
    given = []

    def start(host, work):
        given.append(work.parameters["NodePodCidr"])
        return (0, "the job is started")

    step = make(
        {
            "linux/node_pod_cidr.check.sh": (0, "10.244.1.0/24\n"),
            STATUS: [(0, "pending none"), (0, "done up")],
            START: start,
        }
    )
    join.make_pod_network(step)
    assert given == ["10.244.1.0/24"]


def test_a_job_that_cuts_the_connection_before_it_answers_was_started(make, quick):
    step = make({STATUS: [(0, "pending none"), (0, "done up")], START: lost()})
    detached.await_pod_network(step)
    assert asked(step) == [STATUS, START, "reconnect", STATUS]


def test_a_job_under_way_is_picked_up_and_not_started_again(make, quick):
    step = make({STATUS: [(0, "relaunching start 2"), (0, "done up")]})
    detached.await_pod_network(step)
    assert START not in asked(step)


@pytest.mark.parametrize("left", ["interrupted 4 s", "done up", "rolled-back no network"])
def test_what_an_earlier_job_left_does_not_end_a_new_one(make, quick, left):
    step = make({STATUS: [(0, left), (0, "done up")], START: (0, "")})
    detached.await_pod_network(step)
    assert asked(step) == [STATUS, START, STATUS]


@pytest.mark.parametrize("end", ["rolled-back no network", "failed twice", "interrupted 4 s"])
def test_a_job_that_ends_badly_fails_the_step_with_its_words(make, quick, end):
    step = make({STATUS: [(0, "pending none"), (0, end)], START: (0, "")})
    with pytest.raises(StepFailed, match=end.partition(" ")[2]):
        detached.await_pod_network(step)


def test_a_worker_that_stays_silent_ends_the_wait(make, quick, monkeypatch):
    monkeypatch.setattr(detached, "SILENT_SECONDS", 0.05)
    step = make({STATUS: [(0, "pending none")] + [lost() for _ in range(100_000)], START: (0, "")})
    with pytest.raises(StepFailed, match=r"network\.json"):
        detached.await_pod_network(step)


@pytest.fixture
def asleep(monkeypatch):
    """Let the computer sleep for a day when it is told to; its clock goes on."""
    real, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(detached.time, "monotonic", lambda: real() + ahead[0])

    def sleeps(answer):
        def asked(host, work):
            ahead[0] += 86_400.0
            return answer

        return asked

    return sleeps


@pytest.mark.parametrize("moment", ["look", "pause"])
def test_a_computer_that_slept_looks_again_before_it_gives_a_job_up(make, quick, asleep, moment):
    slept = [asleep(lost())] if moment == "look" else [asleep((0, "waiting 4 s")), lost()]
    answers = [(0, "pending none"), *slept, (0, "done up")]
    step = make({STATUS: lambda host, work: _next(answers, host, work), START: (0, "")})
    detached.await_pod_network(step)
    assert answers == []


def _next(answers, host, work):
    answer = answers.pop(0)
    return answer(host, work) if callable(answer) else answer


def test_a_computer_that_slept_looks_again_before_it_gives_a_reboot_up(make, quick, asleep):
    times = [(0, ONE), asleep((0, ONE)), lost(), (0, TWO)]
    step = make({BOOT: lambda host, work: _next(times, host, work), REBOOT: (0, "")})
    detached.reboot(step)
    assert times == []


BOOT, REBOOT = "windows/boot_time.check.ps1", "windows/reboot.apply.ps1"
ONE, TWO, THREE = (f"2026-11-26T{hour}:00:00.000Z" for hour in (10, 11, 12))


def test_a_reboot_is_proven_by_another_boot_time_and_not_by_the_first_answer(make, quick):
    silent = (1, "")  # a server that is not done booting
    noise = (0, "Please wait for the Group Policy Client")
    times = [(0, ONE), (0, ONE), lost(), silent, noise, (0, TWO), (0, THREE)]
    step = make({BOOT: times, REBOOT: (0, "")})
    detached.reboot(step)
    assert times == [(0, THREE)]
    assert asked(step) == [BOOT, REBOOT, BOOT, BOOT, "reconnect", BOOT, BOOT, BOOT]


def test_a_server_that_does_not_come_back_ends_the_wait(make, quick, monkeypatch):
    monkeypatch.setattr(detached, "REBOOT_SECONDS", 0.05)
    step = make({BOOT: (0, ONE), REBOOT: (0, "")})
    with pytest.raises(StepFailed, match=f"it booted at {ONE}"):
        detached.reboot(step)


def test_a_server_is_not_rebooted_before_it_said_when_it_booted(make, quick):
    step = make({BOOT: (1, "")})
    with pytest.raises(StepFailed, match="did not say"):
        detached.reboot(step)
    assert asked(step) == [BOOT] * 3


def test_what_wants_a_reboot_may_disturb_the_first_look(make, quick):
    """ansible.windows asks for the time of the boot up to three times before it gives up."""
    step = make({BOOT: [lost(), (1, ""), (0, ONE), (0, TWO)], REBOOT: (0, "")})
    detached.reboot(step)
    assert asked(step) == [BOOT, "reconnect", BOOT, BOOT, REBOOT, BOOT]


def refusal():
    return AuthenticationFailed("winworker01", "no")


def test_a_login_that_is_refused_early_in_a_boot_is_tried_again_so_late_that_nothing_is_locked(
    make, monkeypatch
):
    """Domain members refuse everybody until they reach their domain; Vagrant and ansible.windows try again then.

    Microsoft's baseline locks an account after three refusals within a quarter of an hour.
    """
    paused: list[float] = []
    monkeypatch.setattr(StepRun, "pause", lambda self, seconds: paused.append(seconds))
    times = [(0, ONE), lost(), refusal(), refusal(), (0, TWO)]
    step = make({BOOT: times, REBOOT: (0, "")})
    detached.reboot(step)
    waited = [seconds for seconds in paused if seconds > detached.INTERVAL]
    assert waited == [60.0, 900.0]

    step = make({BOOT: [(0, ONE), *(refusal() for _ in range(3))], REBOOT: (0, "")})
    with pytest.raises(AuthenticationFailed):
        detached.reboot(step)


def test_a_refused_login_before_anything_was_asked_for_is_not_repeated(make, quick):
    step = make({BOOT: [refusal()], REBOOT: (0, "")})
    with pytest.raises(AuthenticationFailed):
        detached.reboot(step)
    assert asked(step) == [BOOT]


def test_a_domain_that_is_lost_with_the_adapter_refuses_logins_for_a_while(make, quick):
    step = make({STATUS: [(0, "pending none"), refusal(), (0, "done up")], START: (0, "")})
    detached.await_pod_network(step)
    assert asked(step) == [STATUS, START, STATUS, "reconnect", STATUS]


def test_a_cut_answer_to_the_request_is_no_failure(make, quick):
    """A server that is on its way down cuts the answer off, which ansible.windows takes for a success."""
    step = make({BOOT: [(0, ONE), lost(), (0, TWO)], REBOOT: lost()})
    detached.reboot(step)
    assert asked(step) == [BOOT, REBOOT, "reconnect", BOOT, "reconnect", BOOT]


def test_a_request_that_never_arrived_is_made_again(make, quick):
    same = [(0, ONE)] * (detached.RESENT + 1)
    step = make({BOOT: [*same, (0, TWO)], REBOOT: [lost(), (0, "")]})
    detached.reboot(step)
    assert asked(step).count(REBOOT) == 2


def told(boot: str, up: float, state: str = "settled") -> tuple[int, str]:
    return 0, f"{boot} {up:.3f} {state}\n"


@pytest.mark.parametrize(
    "meanwhile",
    [
        told("2026-11-26T10:00:00.002Z", 5000.0),  # the clock was set by 2 ms
        told("2026-11-26T11:07:00.000Z", 5000.0),  # by an hour, as by a domain's time
        told("2026-11-26T10:00:45.000Z", 4955.0),  # the machine was paused for 45 s
        (0, "2026-11-26T10:00:00.002Z"),
        (0, "2026-11-26T10:00:45.000Z"),
    ],
)
def test_a_clock_that_is_set_is_no_reboot(make, quick, meanwhile):
    times = [told(ONE, 5000.0), meanwhile, told(TWO, 0.0)]
    step = make({BOOT: times, REBOOT: (0, "")})
    detached.reboot(step)
    assert times == []


@pytest.mark.parametrize("boot", [TWO, "2026-11-26T08:00:00.000Z"])
def test_a_reboot_is_one_whatever_the_clock_says_after_it(make, quick, boot):
    step = make({BOOT: [told(ONE, 5000.0), told(boot, 0.0)], REBOOT: (0, "")})
    detached.reboot(step)


def test_a_boot_is_waited_for_until_windows_is_through_with_it(make, quick):
    """LogonUI makes its key when it shows itself: ansible.windows waits for that, as updates may still be at work."""
    step = make(
        {BOOT: [(0, ONE), *[told(TWO, 0.0, "booting")] * 3, told(TWO, 0.0)], REBOOT: (0, "")}
    )
    detached.reboot(step)
    assert asked(step) == [BOOT, REBOOT, *[BOOT] * 4]


def test_a_server_that_never_shows_a_logon_screen_is_used_after_a_while(make, quick, monkeypatch):
    monkeypatch.setattr(detached, "UNSETTLED", 3)
    step = make({BOOT: [(0, ONE), *[told(TWO, 0.0, "booting")] * 4], REBOOT: (0, "")})
    detached.reboot(step)


UPDATE = "windows/windows_update.status.ps1"


def test_windows_is_updated_until_nothing_is_left(make, quick, monkeypatch):
    rebooted = []
    monkeypatch.setattr(detached, "reboot", lambda at: rebooted.append(at.host.name))
    step = make(
        {
            UPDATE: [
                (0, "pending 0 False none"),
                (0, "done 3 True installed: a; b; c"),
                (0, "done 3 True installed: a; b; c"),
                (0, "done 0 False nothing to install"),
            ],
            "windows/windows_update.apply.ps1": (0, ""),
        }
    )
    detached.update_windows(step)
    assert rebooted == [step.host.name]


def test_updates_that_never_end_are_given_up_with_their_names(make, quick):
    step = make(
        {
            UPDATE: (0, "done 1 False installed: KB5000001"),
            "windows/windows_update.apply.ps1": (0, ""),
        }
    )
    with pytest.raises(StepFailed, match="KB5000001"):
        detached.update_windows(step)
