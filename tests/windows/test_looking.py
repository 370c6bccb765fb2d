"""What can be tried on a Windows server without changing it: connection, loader, checks, evidence.

Nothing but files in the account's temporary folder is written, and those go again.
"""

import base64
import json
import secrets

import pytest

from k8swin_nb.errors import CommandTimeout
from k8swin_nb.phases.preflight.checks import look
from k8swin_nb.phases.troubleshoot.evidence import parse as parse_evidence
from k8swin_nb.phases.windows.artifacts import worker_artifacts
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.report import Outcome
from tests.windows.site import NOT_GIVEN, SERVERS

pytestmark = [
    pytest.mark.windows,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not SERVERS, reason=NOT_GIVEN),
]

FACTS = r"""
$culture = [System.Globalization.CultureInfo]::CurrentCulture
$pages = Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\Nls\CodePage'
$os = Get-CimInstance -ClassName Win32_OperatingSystem
$computer = Get-CimInstance -ClassName Win32_ComputerSystem
$version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
"system`t$($os.Caption)"
"build`t$($version.CurrentBuildNumber).$($version.UBR)"
"powershell`t$($PSVersionTable.PSVersion)"
"language mode`t$($ExecutionContext.SessionState.LanguageMode)"
"culture`t$($culture.Name)"
"code pages`tANSI $($pages.ACP), OEM $($pages.OEMCP)"
"standard input`t$([Console]::InputEncoding.WebName), $([Console]::InputEncoding.GetPreamble().Length) bytes before"
"domain member`t$($computer.PartOfDomain)"
"machine`t$($computer.Manufacturer) $($computer.Model)"
"memory`t$([Math]::Round($computer.TotalPhysicalMemory / 1GB)) GiB"
"connected adapters`t$(@(Get-NetAdapter | Where-Object { $_.Status -eq 'Up' }).Count)"
"""
"""What matters about a server, without its name."""

BYTES_OF_A_CHILD = r"""
param([string]$Text)
$file = Join-Path $env:TEMP "k8swin-test-$PID.txt"
try {
    $Text | & cmd.exe /c "findstr . > `"$file`""
    [Convert]::ToBase64String([System.IO.File]::ReadAllBytes($file))
} finally {
    Remove-Item -Force -Path $file
}
"""
"""Which bytes a program gets that a script pipes to: findstr hands lines on as they are."""

HOST_LOCAL = r"""
param([string]$Url, [string]$Sha256, [string]$Question)
$ErrorActionPreference = 'Stop'
$folder = Join-Path $env:TEMP "k8swin-test-$PID"
New-Item -ItemType Directory -Path $folder | Out-Null
try {
    & curl.exe --fail --silent --show-error --location --output "$folder\plugins.tgz" $Url
    if ($LASTEXITCODE -ne 0) { throw "curl.exe ended with $LASTEXITCODE" }
    $found = (Get-FileHash -Algorithm SHA256 -Path "$folder\plugins.tgz").Hash
    if ($found -ne $Sha256) { throw "the download has the SHA-256 $found" }
    & tar.exe -xzf "$folder\plugins.tgz" -C $folder
    if ($LASTEXITCODE -ne 0) { throw "tar.exe ended with $LASTEXITCODE" }
    $env:CNI_CONTAINERID = 'k8swin-test'
    $env:CNI_NETNS = 'k8swin-test'
    $env:CNI_IFNAME = 'test'
    $env:CNI_PATH = $folder
    $env:CNI_COMMAND = 'ADD'
    $place = $folder.Replace('\', '/') + '/networks'
    $Question.Replace('PLACE', $place) | & "$folder\host-local.exe"
    if ($LASTEXITCODE -ne 0) { throw "host-local.exe ended with $LASTEXITCODE" }
} finally {
    Remove-Item -Recurse -Force -Path $folder
}
"""
"""Feed the plugin that hands out addresses, as the scripts of 04 do, from a folder that goes again."""

QUESTION = (
    '{"cniVersion":"0.3.0","name":"cbr0","ipam":{"type":"host-local",'
    '"ranges":[[{"subnet":"10.244.7.0/24"}]],"dataDir":"PLACE"}}'
)

WITHOUT_A_CLUSTER = (
    "facts", "host-name", "containers", "reboot", "folders", "system-settings", "firewall",
    "artifacts", "container-runtime", "proxy", "kubelet", "cni", "flanneld", "kube-proxy",
)  # fmt: skip
"""Steps of 04 whose checks ask nobody but the server, and need nothing that an earlier step brings."""


@pytest.fixture(params=range(len(SERVERS)), ids=lambda number: f"server-{number + 1}")
def server(request, site):
    return site.servers[request.param]


@pytest.fixture
def run(site, server):
    """Run a text on the server and return its result."""

    def run(text, timeout=120, **more):
        script = Script.from_text(text, "powershell")
        return site.cluster.pool.transport(server).run(script, timeout=timeout, **more)

    return run


def joining(site, server, name="04_join_windows"):
    return site.cluster.phase(name, target=server.address, dry_run=True)


def test_the_server_says_what_it_is(run, report, server):
    result = run(FACTS)
    assert result.returncode == 0, result.stderr
    facts = dict(line.split("\t", 1) for line in result.stdout.splitlines())
    report.server(server.name, facts)
    assert facts["powershell"].startswith("5.1.")
    assert facts["language mode"] == "FullLanguage"


def test_other_alphabets_arrive_and_come_back(run):
    text = "Büro-LAN, イーサネット, žluťoučký, 😀"
    result = run("param([string]$Text)\n$Text", parameters={"Text": text})
    assert (result.returncode, result.stdout.rstrip("\r\n")) == (0, text)


def test_exit_codes_are_those_of_the_script(run):
    assert run("exit 37").returncode == 37
    assert run("& cmd.exe /c exit 5").returncode == 5
    assert run("throw 'broken'").returncode == 1
    assert run("'fine'").returncode == 0


def test_what_is_no_error_is_no_xml(run):
    text = "$ErrorActionPreference = 'Continue'; Write-Warning 'watch out'; Write-Error 'not so good'; 'done'; exit 0"
    result = run(text)
    assert result.returncode == 0
    assert "done" in result.stdout
    assert "CLIXML" not in result.stdout + result.stderr
    assert "not so good" in result.stderr


def test_a_program_gets_the_bytes_that_a_script_pipes(run):
    text = '{"name":"Büro"}'
    result = run(BYTES_OF_A_CHILD, parameters={"Text": text})
    assert result.returncode == 0, result.stderr
    assert base64.b64decode(result.stdout.strip()).rstrip(b"\r\n") == text.encode()


def test_a_script_longer_than_any_command_line_runs(run):
    lines = "\n".join(f"# line {number} of a long script" for number in range(8000))
    assert run(f"{lines}\n'the end'").stdout.strip() == "the end"


def test_much_output_arrives_whole(run):
    result = run('1..20000 | ForEach-Object { "line $_" }')
    assert result.stdout.split("\n")[19_999].strip() == "line 20000"


def test_a_deadline_ends_the_script_and_its_children(run):
    mark = str(secrets.randbelow(30_000) + 30_000)
    with pytest.raises(CommandTimeout):
        run(f"& ping.exe -n {mark} 127.0.0.1", timeout=5)
    left = run(
        "param([string]$Mark)\n@(Get-CimInstance -ClassName Win32_Process -Filter \"Name='PING.EXE'\" |"
        " Where-Object { $_.CommandLine -match $Mark }).Count",
        parameters={"Mark": mark},
    )
    assert left.stdout.strip() == "0"


def test_a_secret_is_in_no_command_line(run):
    value = f"k8swin-{secrets.token_hex(12)}"
    result = run(
        "param([string]$Password)\n"
        "$seen = @(Get-CimInstance -ClassName Win32_Process | Where-Object { $_.CommandLine -match $Password })\n"
        '"$($Password.Length) $($seen.Count)"',
        secrets={"Password": Secret(value)},
    )
    assert result.stdout.split() == [str(len(value)), "0"]


def test_files_come_back_as_they_were_sent(site, server, run):
    folder = run("$env:TEMP").stdout.strip()
    path = rf"{folder}\k8swin-test-{secrets.token_hex(6)}.bin"
    content = secrets.token_bytes(70_000)
    transport = site.cluster.pool.transport(server)
    try:
        transport.put(content, path)
        assert transport.get(path) == content
    finally:
        run("param([string]$Path)\nRemove-Item -Force -Path $Path", parameters={"Path": path})


@pytest.mark.parametrize("step", WITHOUT_A_CLUSTER)
def test_a_check_looks_and_says_what_it_found(site, server, report, step):
    phase = joining(site, server)
    rows = phase.check("facts", step).rows if step != "facts" else phase.check("facts").rows
    row = rows[-1]
    report.steps(f"check of {step}", [
        {"event": "step", "notebook": "04_join_windows", "step": row.step, "host": row.host,
         "outcome": row.outcome, "detail": row.detail, "seconds": row.seconds}
    ])  # fmt: skip
    assert row.outcome in (Outcome.OK, Outcome.SKIPPED, Outcome.WOULD_CHANGE)
    assert row.detail


def test_preflight_says_something_of_everything(site, server, report):
    phase = joining(site, server)
    phase.check("facts")
    findings, _ = look(phase.run.at(server, "preflight"))
    report.steps("preflight", [
        {"event": "step", "notebook": "preflight", "step": f.id, "host": f.host, "seconds": None,
         "outcome": "ok" if f.holds else f.severity, "detail": f"{f.check}: {f.found}; wanted {f.wanted}"}
        for f in findings
    ])  # fmt: skip
    assert len(findings) > 30
    assert [f.id for f in findings if not f.found] == []


def test_evidence_is_collected_whole(site, server):
    phase = joining(site, server)
    result = phase.run.at(server, "evidence").script("windows/evidence.check.ps1", timeout=300)
    assert result.returncode == 0, result.stderr
    assert len(parse_evidence(server, result.stdout, 0, 0).sections) > 10


def test_host_local_takes_what_a_script_pipes_to_it(site, run):
    locked = {each["name"]: each for each in json.loads(worker_artifacts(site.description))}
    plugins = locked["cni-plugins"]
    values = {"Url": plugins["url"], "Sha256": plugins["hash"], "Question": QUESTION}
    result = run(HOST_LOCAL, parameters=values, timeout=600)
    assert result.returncode == 0, result.stderr
    assert '"10.244.7.' in result.stdout
