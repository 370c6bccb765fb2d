"""Hosts that print anything: each consumer of it answers, or raises an error of ours; one odd host harms no other.

Every step of every phase in both profiles is asked and applied on hosts whose scripts print what nobody expects:
noise, answers of another script, and well-formed answers with fields lost, doubled, swapped or replaced. The seeds are
fixed; `HOSTILE_ROUNDS` in the environment tries more.
"""

from __future__ import annotations

import dataclasses
import os
import random

import pytest

from k8swin_nb.errors import K8swinError, MultiHostError, UnexpectedError
from k8swin_nb.phases.catalogue import PHASES
from k8swin_nb.phases.troubleshoot import bundle, collecting
from k8swin_nb.phases.troubleshoot.diagnosis import diagnose
from k8swin_nb.phases.verify import trying
from k8swin_nb.phases.verify.connections import Answer
from k8swin_nb.phases.windows import detached
from k8swin_nb.workflow import runner
from k8swin_nb.workflow.host_lock import Holder
from k8swin_nb.workflow.step_run import StepRun
from tests.phases.test_connections import FACTS
from tests.phases.test_troubleshoot import MASTER, WORKER
from tests.runs import ALL_SCRIPTS, Hosts, make_run

ROUNDS = int(os.environ.get("HOSTILE_ROUNDS", "3"))

SAMPLES = {
    "evidence": (MASTER, WORKER),
    "verify_facts": (FACTS,),
    "preflight": (
        "check\tL01\troot\tfail\tok\troot\troot\tsudo\ncheck\tL05\tcpus\tfail\tno\t1\t2\tadd one\n"
        "fact\tmtu\t1500\nfact\troute\t10.1.0.0/24 eth0 -\nfact\troute\t0.0.0.0/0 eth0 10.1.0.1\n"
        "fact\tprefix\t24\nfact\tclock_first\t1700000000.5\nfact\tclock_last\t1700000001.5\n"
        "fact\tcontainerd_version\t1.7.2\nfact\tkubelet_version\t1.36.4\nfact\tmac\t02:00:00:00:00:01\n"
        "fact\tproxy_kubelet\thttp://p:3128\nfact\tno_proxy_kubelet\t10.0.0.0/8,.svc\nfact\thost_name\tx\n"
        "fact\troute_to_master\t10.1.0.2 via 10.1.0.9 dev eth0\nfact\tmanufacturer\tQEMU\n",
        "check\tW01\tbuild\tfail\tok\t26100\t17763\tno\nfact\troute\t10.1.0.0/24 0.0.0.0 vEthernet (Ethernet)\n"
        "fact\thns_nat\t172.20.0.0/16\nfact\thttps_proxy_machine\thttp://p\nfact\tproduct_uuid\tABC\n",
    ),
    "connect": ("0\tcurl x\twin-a\n7\tcurl y\t\n",),
    "node_networks": ("linuxmaster\t10.1.0.2\t10.244.0.0/24\nwinworker01\t10.1.0.3\t10.244.1.0/24\n",),
    "nodes_ready": ("node winworker01 is Ready, build 26100\nbuilds: 26100\n",),
    "node_pod_cidr": ("10.244.1.0/24\n",),
    "facts": ('{"name": "winworker01", "product": "x", "build": 26100, "ubr": 1, "booted": "2026"}\n',),
    "admin_kubeconfig": ('{"sha256": "ab", "days": "364"}\n', '{"kubeconfig": "YXBpVmVyc2lvbjogdjE="}\n'),
    "tokens": ('{"flannel": "eyJhbGciOi", "kube_proxy": "eyJhbGciOi"}\n',),
    "join_token": ('{"token": "abcdef.0123456789abcdef", "ca_hash": "sha256:00"}\n',),
    "dashboard_token": ('{"token": "eyJh.eyJl.eyJm"}\n',),
    "status": ("done ok\n", "started \n", "0 False none\n", "waiting for it\n", "rolled-back x\n"),
    "boot_time": ("2026-11-26T10:00:00\n",),
    "docker_config": ('{"exec-opts": ["a=b"], "log-opts": {"max-size": "1m"}}\n',),
    "containerd_config": (
        "2.1.0\nversion = 3\ndisabled_plugins = [\"cri\"]\n[plugins.\"io.containerd.cri.v1.runtime\".cni]\n"
        "  bin_dirs = [\"/opt/x\"]\n  conf_dir = \"/etc/x\"\n"
        "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.runc.options]\n  SystemdCgroup = false\n",
        '{"text": "version = 3\\n[plugins.\\"io.containerd.cri.v1.runtime\\".cni]\\n  bin_dirs = [1]\\n"}',
        "1.6.20\nversion = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"x\"\n",
    ),
    "api_state": ("answers LS0tLS1CRUdJTg==\n", "silent \n"),
    "cluster_ca": ("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\n",),
}  # fmt: skip
"""Well-formed answers, by a part of the script's name."""

PIECES = (
    "", " ", "\t", "\n", "\r", "\0", "²", "٣", "-1", "0", "99999999999999999999", "1e999", "nan", "inf",
    "True", "null", "{", "}", "[]", "{}", '{"a": 1}', "[" * 3000, '"', "== nodes", "== ", "node", "pod", "service",
    "external", "image", "check", "fact", "fact\troute\tx", "fact\tprefix\t99", "10.0.0.0/33", "300.1.1.1", "::1",
    "default", "fd00::/8", "10.244.0.0/16", "é", "\ufeff", "\u2028", "\x1b[2J", "<script>", "notAfter=x",
    "(not to be had: x)", "9" * 5000, "x" * 3000, "YWJj", "a=b=c", "..", "/", "\\", "%s", "{0}", "'; rm -rf /",
    "= 1", "= [1]", "= 2001-99-99", "[a.b]", "[[a]]",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "notAfter=Dec 31 23:59:59 9999 GMT", "99999-01-01",
    "253402300800", "1e-999", "-0", "1_000", "½", "0x10", "+5", '{"a": 1, "a": 2}', "[" * 100_000, '{"a":' * 20_000,
    "\x85", "\x1c", "\x0b", "\u2029", "<U+202E>", "10.1.0.2/0", "0.0.0.0/0", "255.255.255.255", "YWJ", "AAAA" * 2000,
)  # fmt: skip
CODES = (0, 0, 0, 0, 0, 10, 10, 20, 1, 2, 255, -1)


def hostile(source: random.Random, name: str) -> str:
    """Return what a hostile or broken host prints for a script."""
    if source.random() < 0.15:
        return "".join(source.choices(PIECES, k=source.randrange(12)))
    known = [text for part, texts in SAMPLES.items() if part in name for text in texts]
    if not known or source.random() < 0.1:
        known = [text for texts in SAMPLES.values() for text in texts]
    text = source.choice(known)
    for _ in range(source.choice((0, 1, 1, 2, 3, 8))):
        text = mutated(source, text)
    return text


def mutated(source: random.Random, text: str) -> str:
    lines = text.split("\n")
    place = source.randrange(len(lines))
    separator = source.choice('\t :=,/."')
    fields = lines[place].split(separator)
    field = source.randrange(len(fields))
    kind = source.randrange(7)
    if kind == 0:
        fields[field] = source.choice(PIECES)
    elif kind == 1:
        del fields[field]
    elif kind == 2:
        fields.insert(field, source.choice(PIECES))
    elif kind == 3:
        source.shuffle(fields)
    elif kind == 4:
        return "\n".join(lines[:place])
    elif kind == 5:
        lines.insert(place, lines[source.randrange(len(lines))])
        return "\n".join(lines)
    else:
        cut = source.randrange(len(text) + 1)
        return text[:cut] + source.choice(PIECES) + text[cut + source.randrange(4) :]
    lines[place] = separator.join(fields)
    return "\n".join(lines)


def hosts(seed: object, **answers) -> Hosts:
    """Return hosts that answer every script by a seed; which host and script is asked first does not matter."""
    count: dict[str, int] = {}

    def told(host, work):
        key = f"{host.name} {work.script.name}"
        count[key] = count.get(key, 0) + 1
        source = random.Random(f"{seed} {key} {count[key]}")
        return source.choice(CODES), hostile(source, work.script.name)

    return Hosts({**answers, ALL_SCRIPTS: told})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nothing waits, and this computer asks nobody."""
    looked = {"count": 0}

    def pause(at, seconds):
        looked["count"] += 1
        at.check_stop("was stopped while it waited")

    monkeypatch.setattr(StepRun, "pause", pause)
    monkeypatch.setattr(runner, "VERIFY_INTERVAL", 0.0)
    monkeypatch.setattr(trying, "_from_here", lambda target: Answer(0, target, "win-a"))
    for name in ("REBOOT_SECONDS", "POD_NETWORK_SECONDS", "REMOVAL_SECONDS", "UPDATE_SECONDS"):
        monkeypatch.setattr(detached, name, 0.02)


def ours(error: BaseException) -> bool:
    """Whether an error is one that a reader is expected to meet."""
    if isinstance(error, MultiHostError):
        return all(ours(one) for one in error.errors.values())
    return isinstance(error, K8swinError) and not isinstance(error, UnexpectedError)


def told(error: BaseException) -> str:
    """Return what nobody expected, with where it came from."""
    inner = list(error.errors.values()) if isinstance(error, MultiHostError) else [error]
    causes = [getattr(one, "__cause__", None) or one for one in inner]
    frames = []
    for cause in causes:
        trace = cause.__traceback__
        while trace is not None and trace.tb_next is not None:
            if "k8swin_nb" in trace.tb_next.tb_frame.f_code.co_filename:
                place = trace.tb_next
            trace = trace.tb_next
        where = (
            f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if cause.__traceback__ else ""
        )
        frames.append(f"{type(cause).__name__}: {cause} at {where}")
    return "; ".join(frames)


def attempt(work, *arguments):
    """Do something; return its answer or an error of ours, and let nothing else pass."""
    try:
        return work(*arguments)
    except Exception as error:
        assert ours(error), told(error)
        return error


CASES = [(phase.name, profile) for phase in PHASES for profile in ("current", "classic")]


@pytest.mark.parametrize(("name", "profile"), CASES)
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_every_step_answers_or_raises_an_error_of_ours(tmp_path, name, profile, seed):
    (phase,) = [phase for phase in PHASES if phase.name == name]
    changes = {"profile": profile, "dashboard": True, "probe_pods": True}
    if profile == "current":
        changes["topology"] = "vxlan" if seed % 2 else "host-gw"
    run = make_run(
        tmp_path,
        hosts(f"{seed} {name} {profile}"),
        phase=phase.variant(profile),
        target="10.1.0.3" if phase.target == "windows" else "",
        **changes,
    )
    for step in run.phase.steps:
        quickly = dataclasses.replace(step, wait=0)
        if step.on == "target" and not run.target:
            quickly = dataclasses.replace(quickly, on="control-plane")
        attempt(runner.check_step, run, quickly)
        attempt(runner.apply_step, run, quickly)
    for view in run.phase.views.values():
        shown = attempt(view, run)
        attempt(repr, shown)
        if hasattr(shown, "_repr_html_"):
            attempt(shown._repr_html_)


@pytest.mark.parametrize("seed", range(ROUNDS * 40))
def test_evidence_of_any_form_is_judged_and_kept(tmp_path, seed):
    source = random.Random(seed)
    run = make_run(tmp_path, hosts(seed))
    evidence = []
    for host, sample in zip(run.inventory.hosts, (MASTER, WORKER), strict=True):
        text = sample
        for _ in range(source.randrange(12)):
            text = mutated(source, text)
        evidence.append(collecting.parse(host, text, 1.0, 2.0))
    found = attempt(diagnose, run.plan, source.choice(("current", "classic")), evidence)
    assert isinstance(found, list)
    attempt(bundle.write_bundle, run, "x", evidence, found)


def test_a_host_that_prints_noise_takes_no_findings_of_the_others_along(tmp_path):
    run = make_run(tmp_path)
    broken = WORKER.replace("kube-proxy\tRunning", "kube-proxy\tStopped")
    for seed in range(100):
        source = random.Random(seed)
        noise = MASTER
        for _ in range(6):
            noise = mutated(source, noise)
        master, worker = run.inventory.hosts
        texts = ((master, noise), (worker, broken))
        found = diagnose(run.plan, "current", [collecting.parse(*one, 1.0, 2.0) for one in texts])
        assert ("processes-end-with-the-shell", "winworker01") in {
            (one.entry.id, one.host) for one in found
        }, noise


def test_whatever_a_host_says_of_who_holds_it_is_a_holder():
    source = random.Random(3)
    text = Holder.here("run", "02_master").line()
    odd = [
        "",
        "[" * 5000,
        '{"pid": 1e999}',
        text.replace('"pid": ', '"pid": 9'),
        text.replace('"pid": ', '"pid": -'),
    ]
    for made in [*odd, *(mutated(source, text) for _ in range(2000))]:
        holder = Holder.read(made)
        assert isinstance(holder.is_gone, bool) and str(holder)
