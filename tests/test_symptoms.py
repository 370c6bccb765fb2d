"""The table of what goes wrong: complete, and each entry found by what it is about and nothing else."""

import re
import time

import pytest

from k8swin_nb.symptoms import HEAD, TAIL, entries, find, reference

# Lines as the programs print them, written down from public threads and documentation, for entries
# whose sample in the table is one of several forms.
MORE = {
    "hns-network-not-created": [
        "Waiting for the Network to be created",
        "failed to get management IP from HNS network cbr0",
        "A network with this name already exists. (0x803b0010)",
        "rolled-back: no HNS network cbr0 with address 10.0.0.3 after 180 s; see flanneld.log",
    ],
    "static-address-lost": [
        "vEthernet (Ethernet0 2): 169.254.31.7/16 Preferred".replace(": 169", " 169"),
    ],
    "cni-not-initialized": [
        "runtime network not ready: NetworkReady=false: docker: network plugin is not ready: cni config uninitialized",
        "the CNI file 10-flannel.conf begins with a byte-order mark",
    ],
    "kubelet-crash-loop": ["kubelet.service: Failed with result 'exit-code'."],
    "container-runtime-too-old": [
        'validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": '
        "rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService",
    ],
    "dns-in-windows-pods": ["*** coredns can't find kubernetes.default: Non-existent domain"],
    "image-pull-slow-or-disk-full": ["write /var/lib/x: no space left on device"],
    "winrm-limits": ["The command line is too long."],
    "join-token-or-time": [
        'could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"',
        "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time "
        "2026-11-26T10:00:00Z is before 2026-11-26T11:00:00Z",
    ],
}

HEALTHY = """\
I1126 10:00:00.1 kube.go:139] Waiting 10m0s for node controller to sync
I1126 10:00:01.1 main.go:388] Found network config - Backend type: host-gw
I1126 10:00:02.1 match.go:211] Determining IP address of default interface
I1126 10:00:03.1 server.go:484] "Kubelet version" kubeletVersion="v1.36.4"
[preflight] Running pre-flight checks
This node has joined the cluster:
* Certificate signing request was sent to apiserver and a response was received.
cbr0 L2Bridge 10.244.1.0/24
the service flanneld runs C:\\k\\flanneld.exe
20 of 20 requests answered by 2 of 2 endpoints on 2 nodes
default via 192.168.160.1 dev eth0 proto static
169.254.255.255/32 on ifIndex 1
no route to host was tried
flanneld and kube-proxy have kubeconfigs of their own, valid for 364 days
"""


def test_the_table_is_complete():
    ids = [entry.id for entry in entries()]
    assert len(ids) == len(set(ids)) >= 40
    for entry in entries():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.id)
        for text in (entry.symptom, entry.cause, entry.evidence, entry.fix):
            assert text.strip() and not text.endswith("."), entry.id
        assert entry.source.startswith("https://"), entry.id
        assert entry.patterns


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.id)
def test_an_entry_is_found_by_what_it_is_about_and_no_other_is(entry):
    for line in [entry.sample, *MORE.get(entry.id, [])]:
        assert [found.id for found, _ in find(line)] == [entry.id], line


@pytest.mark.parametrize("line", HEALTHY.splitlines())
def test_lines_of_a_healthy_cluster_match_nothing(line):
    assert find(line) == []


def test_every_step_that_a_fix_names_is_there():
    from k8swin_nb.phases.catalogue import PHASES

    steps = {step.name for phase in PHASES for step in phase.steps}
    for entry in entries():
        for named in re.findall(r"steps? ((?:`[\w-]+`(?:, | and )?)+)", entry.fix):
            for name in re.findall(r"`([\w-]+)`", named):
                assert name in steps, f"{entry.id} names the step {name}"


def test_the_last_line_that_says_so_is_kept():
    text = "a\nunknown flag: --log-dir\nb\nunknown flag: --log-file\n"
    ((entry, line),) = find(text)
    assert (entry.id, line) == ("kubelet-crash-loop", "unknown flag: --log-file")


def test_a_text_is_referred_to_the_entries_that_it_belongs_to():
    assert reference("unknown flag: --x") == "see: 80_troubleshoot#kubelet-crash-loop"
    assert reference("all is well") == ""


def test_a_line_without_an_end_is_looked_at_in_bounded_time():
    assert find("x" * 5_000_000) == []


def words_of_the_patterns() -> list[str]:
    patterns = [pattern.pattern for entry in entries() for pattern in entry.patterns]
    return sorted(
        {word for text in patterns for word in re.findall(r"[A-Za-z][A-Za-z ]{5,}", text)}
    )


def test_a_text_is_looked_up_in_bounded_time_whatever_it_is():
    line = "2026-11-29T10:00:00Z kubelet[123]: I1129 pod default/web synced in 12ms\n"
    texts = ["x" * 5_000_000, " " * 5_000_000, line * 70_000, "\n" * 1_000_000]
    # Lines that differ, of what patterns begin with again and again.
    texts += [
        "\n".join(f"{word * (780 // len(word))}{number}" for number in range(200))
        for word in words_of_the_patterns()[::8]
    ]
    for text in texts:
        began = time.process_time()
        reference(text)
        assert time.process_time() - began < 20, text[:60]


def test_of_a_long_text_what_failed_and_how_it_ended_are_looked_at():
    sample = entries()[0].sample
    between = "\n".join(f"line {number}" for number in range(50_000))
    assert entries()[0].reference in reference(f"{sample}\n{between}")
    assert entries()[0].reference in reference(f"{between}\n{sample}")
    assert len(between) > HEAD + TAIL
