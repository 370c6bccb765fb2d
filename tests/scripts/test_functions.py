"""The functions that scripts share: what is put into a script, and that it does what its copies did."""

import base64
import hashlib
import io
import json
import re
import subprocess
from importlib import resources
from pathlib import Path

import pytest
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network
from k8swin_lab.windows.software import windows_software

from k8swin_nb.errors import ScriptError
from k8swin_nb.scripts import Script, functions, names

FILES = {"bash": "linux/functions.sh", "powershell": "windows/functions.ps1"}
TEXTS = {
    language: resources.files("k8swin_nb.scripts").joinpath(*file.split("/")).read_text()
    for language, file in FILES.items()
}
USERS = [name for name in names() if "\n# uses: " in Script.load(name).text]

SHARED = functions.read(
    """\
# What may live here.

# Says it.
say_it() { # WORD
  echo "said $1"
}

# Says it twice.
say_twice() {
  say_it "$1"
  say_it "$1"
}

# Is used by nobody.
be_quiet() {
  :
}
""",
    "bash",
)
SCRIPT = """\
# Says a word.
set -euo pipefail
: "${WORD:?a word}"
# uses: say_twice

say_twice "$WORD"
"""


def composed(text: str = SCRIPT) -> str:
    return functions.compose("x.sh", text, "bash", SHARED)


def test_a_script_gets_what_it_names_and_what_that_uses_and_no_more():
    text = composed()
    assert "# Says it.\nsay_it() {" in text and "say_twice() {" in text
    assert "be_quiet" not in text and "What may live here" not in text
    assert (
        text.replace(
            "\n" + "\n".join(body for name, body in SHARED.items() if name != "be_quiet"), "", 1
        )
        == SCRIPT
    )


def test_what_is_composed_runs_in_bash():
    done = subprocess.run(
        ["bash", "-s"],
        input=composed(),
        capture_output=True,
        text=True,
        env={"WORD": "yes", "PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "said yes\nsaid yes\n", "")


def test_a_script_that_names_nothing_stays_as_it_is():
    text = "# Prints.\necho say\n"
    assert composed(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            SCRIPT.replace("say_twice\n", "say_thrice\n"),
            "names `say_thrice`, which is no shared function",
        ),
        (SCRIPT.replace("# uses: say_twice", ""), "used and not named: say_twice"),
        (SCRIPT.replace("say_twice\n", "say_twice be_quiet\n"), "named and not used: be_quiet"),
        (SCRIPT + "say_it again\n", "used and not named: say_it"),
    ],
)
def test_what_is_named_and_what_is_used_have_to_be_the_same(text, says):
    with pytest.raises(ScriptError, match=r"x\.sh") as caught:
        composed(text)
    assert says in str(caught.value)


def test_a_name_in_a_comment_or_within_another_word_is_no_use_of_it():
    text = SCRIPT + "# say_it differently\necho be_quiet_now ./be_quiet $be_quiet\n"
    assert "be_quiet() {" not in composed(text)


def test_powershell_names_are_found_whatever_their_capitals_and_inside_of_strings():
    shared = functions.read("# Why.\nfunction Get-Word([string]$Of) {\n    $Of\n}\n", "powershell")
    text = "param()\n# uses: Get-Word\n\n\"$(get-word 'x')\" # Get-Word\n"
    whole = functions.compose("x.ps1", text, "powershell", shared)
    assert (
        whole.index("param()")
        < whole.index("# Why.\nfunction Get-Word")
        < whole.index("$(get-word")
    )


@pytest.mark.parametrize("language", FILES)
def test_a_file_of_functions_holds_nothing_but_functions_each_with_a_reason(language):
    found = functions.read(TEXTS[language], language)
    head, _, rest = TEXTS[language].partition("\n\n")
    assert all(line.startswith("# ") for line in head.splitlines())
    assert "\n".join(found.values()) == rest
    for name, body in found.items():
        assert body.startswith("# "), name
        assert re.search("[_-]", name), f"{name} could be a word of prose"


@pytest.mark.parametrize("language", FILES)
def test_a_shared_function_is_used_by_two_scripts_or_by_one_that_is(language):
    suffix = Path(FILES[language]).suffix
    texts = [Script.load(name).text for name in USERS if name.endswith(suffix)]
    for body in functions.read(TEXTS[language], language).values():
        assert sum(body in text for text in texts) > 1, body


@pytest.mark.parametrize("file", FILES.values())
def test_a_file_of_functions_is_no_script(file):
    assert file not in names()
    with pytest.raises(ScriptError, match="there is no script"):
        Script.load(file)


@pytest.mark.parametrize("name", USERS)
def test_what_is_shown_and_hashed_is_what_runs(name):
    script = Script.load(name)
    (line,) = re.findall("^# uses: (.+)$", script.text, re.MULTILINE)
    head, _, body = script.text.partition(f"# uses: {line}\n\n")
    own = resources.files("k8swin_nb.scripts").joinpath(*name.split("/")).read_text()
    assert own.startswith(head) and "\n\n" not in head, "the line ends the first paragraph"
    shared = functions.read(TEXTS[script.interpreter], script.interpreter)
    assert all(shared[function] in body for function in line.split())
    assert script.sha256 == hashlib.sha256(script.text.encode()).hexdigest()
    assert script.sha256 != hashlib.sha256(own.encode()).hexdigest()
    assert script.text in repr(script.show())
    assert script.parameters == Script.from_text(own, script.interpreter).parameters


@pytest.mark.parametrize("name", [name for name in USERS if name.endswith(".ps1")])
def test_the_param_block_of_powershell_stays_in_front_of_the_functions(name):
    text = Script.load(name).text
    assert re.search(r"^param\(", text, re.MULTILINE).start() < text.index("\nfunction ")


def bash(body: str, *uses: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run lines with shared functions in front, in bash, where commands of `path` come first."""
    text = functions.compose(
        "test.sh",
        f"set -euo pipefail\n# uses: {' '.join(uses)}\n\n{body}\n",
        "bash",
        functions.read(TEXTS["bash"], "bash"),
    )
    return subprocess.run(
        ["bash", "-s"],
        input=text,
        capture_output=True,
        text=True,
        env={"PATH": f"{path or '/nowhere'}:/usr/bin:/bin"},
    )


def command(folder: Path, name: str, text: str) -> None:
    """Put a command of that name into a folder."""
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)


AUDIT = """\
The following packages are in a mess due to serious problems during
installation.  They must be reinstalled for them to function properly:
 cri-tools            (no description available)

The following packages are missing the md5sums control file in the
database, they need to be reinstalled:
 cri-tools            (no description available)
 {other}
"""


@pytest.mark.parametrize(
    ("other", "ended"), [("kubelet   node agent", True), ("nginx   web", False)]
)
def test_what_a_stopped_installation_left_is_ended_first_and_what_others_left_is_not(
    tmp_path, other, ended
):
    (tmp_path / "audit").write_text(AUDIT.format(other=other))
    (tmp_path / "packages").write_text("cri-tools\nkubelet\nkubeadm\n")
    command(
        tmp_path,
        "dpkg",
        f'if [ "$1" = --audit ]; then cat {tmp_path}/audit; exit 1; fi; echo "dpkg $*"; exit 1',
    )
    command(tmp_path, "apt-get", 'echo "apt-get ${*: -2}"')
    text = TEXTS["bash"].replace("/etc/k8swin/", f"{tmp_path}/")
    body = "set -euo pipefail\n# uses: apt_get\n\napt_get install kubeadm\n"
    done = subprocess.run(
        ["bash", "-s"],
        input=functions.compose("test.sh", body, "bash", functions.read(text, "bash")),
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert ("--configure -a" in done.stdout) is ended
    assert done.stdout.endswith("apt-get install kubeadm\n")


def test_a_check_with_nothing_to_do_goes_on_and_one_with_something_ends_with_10():
    done = bash('left=()\nneeded_if_any "to do" "${left[@]}"\necho ok', "needed_if_any")
    assert (done.returncode, done.stdout) == (0, "ok\n")
    done = bash(
        'left=(one "two words")\nneeded_if_any "to do" "${left[@]}"\necho ok', "needed_if_any"
    )
    assert (done.returncode, done.stdout) == (10, "to do: one; two words\n")


def test_only_routes_through_a_gateway_into_the_network_of_the_pods_are_named(tmp_path):
    command(
        tmp_path,
        "ip",
        "printf '%s\\n' 'default via 10.0.0.1 dev eth0' '10.244.1.0/24 via 10.0.0.2 dev eth0' "
        "'10.244.0.0/24 dev cni0 scope link' '10.245.0.0/24 via 10.0.0.9 dev eth0' 'blackhole 10.244.9.0/24'",
    )
    done = bash("pod_routes 10.244.0.0/16", "pod_routes", path=tmp_path)
    assert (done.returncode, done.stdout) == (0, "10.244.1.0/24 10.0.0.2\n")


def test_services_that_make_swap_are_known_by_what_they_start(tmp_path):
    script = tmp_path / "setup"
    script.write_text("#!/bin/sh\n# swapon\nswapon /dev/zram0\n")
    harmless = tmp_path / "harmless"
    harmless.write_text("#!/bin/sh\n# no swapon here\n")
    starts = {
        "rc-local": f"{script} start",
        "zramswap": str(script),
        "site-swap": "/sbin/site swapon",
        "swap-off": str(script),
        "cron": str(harmless),
    }
    listed = "\\n".join(f"{name}.service loaded inactive dead x" for name in starts)
    shown = "\n\n".join(
        f"ExecStart={{ path={start.split()[0]} ; argv[]={start} ; ignore_errors=no ; }}\nId={name}.service"
        for name, start in starts.items()
    )
    (tmp_path / "shown").write_text(shown + "\n")
    command(
        tmp_path,
        "systemctl",
        f"case $1 in list-units) printf '{listed}\\n' ;; show) cat {tmp_path}/shown ;; "
        '*) [ "$*" != "is-enabled --quiet swap-off.service" ] ;; esac',
    )
    mine = bash("swap_makers swap", "swap_makers", path=tmp_path).stdout
    assert mine == "site-swap.service\nzramswap.service\n"
    others = bash("swap_makers other", "swap_makers", path=tmp_path).stdout
    assert others == f"rc-local.service by {script}\n"


@pytest.mark.parametrize(
    ("server_side", "arguments"),
    [("true", "diff --server-side --force-conflicts -f -"), ("false", "diff -f -")],
)
def test_a_manifest_goes_to_kubectl_with_its_exit_code_kept(tmp_path, server_side, arguments):
    command(tmp_path, "kubectl", 'echo "$*: $(cat)"; exit 1')
    done = bash(
        f"code=0\nmanifest_to_kubectl diff {server_side} <<<manifest || code=$?\necho $code",
        "manifest_to_kubectl",
        path=tmp_path,
    )
    assert done.stdout == f"{arguments}: manifest\n1\n"


def test_an_attempt_is_told_with_its_code_as_it_can_be_typed_and_by_its_last_line(tmp_path):
    command(
        tmp_path,
        "try",
        "echo first; printf 'last\\tline\\r\\n'; echo command terminated with exit code 3; exit 3",
    )
    done = bash('print_attempt "try * x" try "*" x', "print_attempt", path=tmp_path)
    assert done.stdout == "3\ttry '*' x\tlast line\n"


@pytest.fixture(scope="module")
def server():
    machine = WindowsMachine("winworker01", "127.160.0.21", Network(), windows_software())
    machine.files.make_directory("C:\\t")
    yield machine
    machine.power_off()


def powershell(machine: WindowsMachine, body: str, *uses: str) -> str:
    """Run lines with shared functions in front on a machine of the lab, and return what they print."""
    text = functions.compose(
        "test.ps1",
        f"param()\n$ErrorActionPreference = 'Stop'\n# uses: {' '.join(uses)}\n\n{body}\n",
        "powershell",
        functions.read(TEXTS["powershell"], "powershell"),
    )
    machine.files.write("C:\\t\\run.ps1", text.encode())
    out, err = io.BytesIO(), io.BytesIO()
    env = dict(machine.login_environment("Administrator"))
    process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
    code = machine.shell("powershell -NoProfile -File C:\\t\\run.ps1", process)
    assert (code, err.getvalue()) == (0, b""), err.getvalue().decode()
    return out.getvalue().decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("name", "prefix", "placeholder", "ours"),
    [
        ("cbr0", "10.244.3.0/24", "", True),
        ("cbr0", "10.250.3.0/24", "", False),
        ("nat", "10.244.3.0/24", "", False),
        ("External", "192.168.255.0/30", "External", True),
        ("External", "192.168.255.0/30", "", False),
        ("External", "10.244.3.0/24", "External", False),
    ],
)
def test_an_hns_network_is_ours_by_its_name_and_its_place(server, name, prefix, placeholder, ours):
    """Calico for Windows makes the same placeholder as SDN's scripts (node-service.ps1)."""
    body = f"""$network = [pscustomobject]@{{ Name = '{name}'; Subnets = @(@{{ AddressPrefix = '{prefix}' }}) }}
Test-OwnNetwork $network 'cbr0' '10.244.0.0/16' '{placeholder}'"""
    assert powershell(server, body, "Test-OwnNetwork") == f"{ours}\n"


def test_a_kubeconfig_is_read_with_what_its_token_says(server):
    claims = (
        base64.urlsafe_b64encode(json.dumps({"exp": 1900000000, "a": "??>"}).encode())
        .decode()
        .rstrip("=")
    )
    server.files.write(
        "C:\\t\\config",
        f"clusters:\n- cluster:\n    certificate-authority-data: Q0E=\n    server: https://10.0.0.2:6443\n"
        f"users:\n- user:\n    token: head.{claims}.tail\n".encode(),
    )
    body = """$found = Read-Kubeconfig C:\\t\\config
"$($found.server) $($found.ca) $((Read-TokenClaim $found.text).exp) [$(Read-TokenClaim 'no token')]\""""
    said = powershell(server, body.replace("\\\\", "\\"), "Read-Kubeconfig", "Read-TokenClaim")
    assert said == "https://10.0.0.2:6443 Q0E= 1900000000 []\n"


def test_a_status_is_whole_and_keeps_the_letters_of_every_language(server):
    body = """$status = [ordered]@{ state = 'failed'; detail = "Ger$([char]0xe4)t" }
Save-JobStatus C:\\t $status
(Read-JobStatus C:\\t).detail
[System.IO.File]::ReadAllBytes('C:\\t\\status.json')[0]
Test-Path C:\\t\\status.json.new
$status.time.Length"""
    assert (
        powershell(server, body, "Save-JobStatus Read-JobStatus") == "Ger\u00e4t\n123\nFalse\n20\n"
    )


def test_the_path_of_the_machine_is_written_as_it_is_spelt(server):
    body = """$before = @(Get-MachinePath)
Set-MachinePath ($before + '%SystemRoot%\\own')
@(Get-MachinePath)[-1]
Set-MachinePath $before
@(Get-MachinePath).Count -eq $before.Count"""
    said = powershell(server, body.replace("\\\\", "\\"), "Get-MachinePath", "Set-MachinePath")
    assert said == "%SystemRoot%\\own\nTrue\n"


CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nTUlJQw==\nTUlJRA==\n-----END CERTIFICATE-----\n"
OTHER = CERTIFICATE.replace(b"TUlJQw", b"TUlJRQ")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (CERTIFICATE, True),
        (b"Certificate:\n    Data: ... Issuer: CN=site-ca\n" + CERTIFICATE, True),
        (CERTIFICATE.replace(b"\n", b"\r\n"), True),
        (CERTIFICATE.rstrip(b"\n"), True),
        (CERTIFICATE + OTHER, True),
        (OTHER + CERTIFICATE, False),
        (OTHER, False),
        (b"no certificate", False),
        (b"", False),
    ],
)
def test_an_authority_is_the_same_in_whatever_form_a_site_has_it(tmp_path, server, text, same):
    expected = base64.b64encode(CERTIFICATE).decode()
    (tmp_path / "ca.crt").write_bytes(text)
    done = bash(f"authority_in {tmp_path}/ca.crt", "authority_in")
    assert done.returncode == 0 and (done.stdout == expected) is same
    data = base64.b64encode(text).decode()
    (tmp_path / "config").write_text(f"    certificate-authority-data: {data}\n    server: x\n")
    done = bash(f"authority_of_kubeconfig {tmp_path}/config", "authority_of_kubeconfig")
    assert done.returncode == 0 and (done.stdout == expected) is same
    server.files.write("C:\\t\\ca.crt", text)
    said = powershell(server, "Get-AuthorityIn C:\\t\\ca.crt", "Get-AuthorityIn")
    assert (said == f"{expected}\n") is same


def test_where_there_is_no_authority_none_is_found(tmp_path):
    body = (
        f"authority_in {tmp_path}/none; authority_of_kubeconfig {tmp_path}/none; authority_recorded"
    )
    done = bash(body, "authority_in", "authority_of_kubeconfig", "authority_recorded")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("state", "network", "code"),
    [("", "", 10), ("CrashLoopBackOff", "", 30), ("CrashLoopBackOff", "10.244.0.0/24", 0)],
)
def test_a_control_plane_whose_program_ends_again_and_again_gives_out_no_pod_network(
    tmp_path, state, network, code
):
    """Such a pod's phase is Running all the while."""
    command(tmp_path, "sleep", ":")
    command(
        tmp_path,
        "kubectl",
        f"""case "$*" in
  *"pod kube-"* | *"pod etcd-"*) echo Running ;;
  *"service kubernetes"*) echo 10.96.0.1 ;;
  *"service kube-dns"*) echo 10.96.0.10 ;;
  *"get node"*) echo "{network}" ;;
  *tier=control-plane*) printf 'pod kube-controller-manager-m \\nwaits 5 {state} back-off\\n' ;;
esac""",
    )
    script = Script.load("linux/control_plane_ready.check.sh").text
    admin = tmp_path / "admin.conf"
    admin.touch()
    done = subprocess.run(
        ["bash", "-s"],
        input=script.replace("/etc/kubernetes/admin.conf", str(admin)),
        capture_output=True,
        text=True,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "NODE_NAME": "m",
            "API_SERVICE_IP": "10.96.0.1",
            "DNS_SERVICE_IP": "10.96.0.10",
        },
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("kube-controller-manager-m ends again and again" in done.stdout) == (code == 30)


def in_bash(function: str, *words: str, given: str = "") -> list[str]:
    """Return the lines that a shared function of bash prints."""
    done = subprocess.run(
        ["bash", "-c", f'set -euo pipefail\n{TEXTS["bash"]}\n{function} "$@"', "bash", *words],
        input=given.encode(),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode(errors="replace").split("\n")[:-1]


LONG = "".join(f"{number}.example\n" for number in range(20_000))


@pytest.mark.parametrize(
    ("found", "wanted", "told"),
    [
        (b"a\nb", "a\nb\n", ["-|a", "-|b", "-|\\ No newline at end of file", "+|a", "+|b"]),
        (b"a\r\n", "a\n", ["-|a^M", "+|a"]),
        (b"a\0b\xff\n", "a\n", ["-|a?b\ufffd", "+|a"]),
        (b"", "a\n\n", ["+|a", "+|"]),
        (b"a\n", "", ["-|a"]),
        (None, "a\n", ["+|a"]),
        (LONG.encode(), LONG.replace("7.example\n", "", 1) + "new\n", ["-|7.example", "+|new"]),
    ],
    ids=["no end", "crlf", "no text", "empty", "emptied", "not there", "long"],
)
def test_a_file_of_any_kind_is_told_by_the_lines_that_differ(tmp_path, found, wanted, told):
    path = tmp_path / "file"
    if found is not None:
        path.write_bytes(found)
    assert in_bash("would_write", str(path), given=wanted) == [f"would write: {path}", *told]


DIFF = """\
diff -u -N /tmp/LIVE-1/rbac.authorization.k8s.io.v1.ClusterRole..x /tmp/MERGED-2/x
--- /tmp/LIVE-1/x\t2026
+++ /tmp/MERGED-2/x\t2026
@@ -1,2 +1,3 @@
 rules:
--- a
+-- b
+
diff -u -N /tmp/LIVE-1/v1.Secret.ns.x /tmp/MERGED-2/x
--- /tmp/LIVE-1/x\t2026
+++ /tmp/MERGED-2/x\t2026
@@ -1 +1 @@
-  key: one
+  key: two
"""


def test_what_kubectl_finds_to_differ_is_told_with_lines_that_begin_with_dashes_and_no_secret():
    lines = in_bash("would_apply", "the app", given=DIFF)
    assert lines[0] == "would write: the app"
    assert lines[1:] == [
        "-|rules:",
        "+|rules:",
        "-|-- a",
        "+|-- b",
        "+|",
        "+|a Secret that differs, which is not shown",
    ]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (b"a\r\nb\r\n", ["would: C:\\f: the same text with other line ends or in another encoding -> as planned"]),
        (b"a\nb", ["would: C:\\f: the same text with other line ends or in another encoding -> as planned"]),
        (b"A\r\nb\r\n", ["would write: C:\\f", "-|A", "-|b", "+|a", "+|b"]),
        (b"", ["would write: C:\\f", "+|a", "+|b"]),
        (None, ["would write: C:\\f", "+|a", "+|b"]),
    ],
    ids=["crlf", "no end", "case", "empty", "not there"],
)  # fmt: skip
def test_a_file_of_windows_is_told_by_its_lines_or_that_its_text_is_the_same(server, found, told):
    if found is not None:
        server.files.write("C:\\f", found)
    assert (
        powershell(server, 'Get-FileDifference C:\\f "a`nb`n"', "Get-FileDifference").splitlines()
        == told
    )
