<#
.SYNOPSIS
Does containerd run as a service with the planned configuration?
#>
param(
    [Parameter(Mandatory = $true)][string]$ContainerdSha256,
    [Parameter(Mandatory = $true)][string]$ContainerdLogJob
)
$ErrorActionPreference = 'Stop'
# uses: Get-ForeignRuntime Get-Sha256 Test-FoundService Test-NightJob Test-RestartDue

$foreign = Get-ForeignRuntime containerd
if ($foreign) {
    $foreign
    exit 20
}
$file = Join-Path $env:ProgramFiles 'containerd\config.toml'
if (-not (Test-Path $file) -or (Get-Sha256 $file) -ne $ContainerdSha256) {
    "$file is missing or differs from the plan"
    exit 10
}
$service = Get-CimInstance -ClassName Win32_Service -Filter "Name='containerd'"
if (-not $service -or $service.State -ne 'Running' -or $service.StartMode -ne 'Auto') {
    "the service containerd is $($service.State) with start mode $($service.StartMode)"
    exit 10
}
if (Test-RestartDue containerd) {
    'containerd has not read its configuration since that was changed'
    exit 10
}
if (-not (Test-FoundService containerd) -and -not (Test-NightJob 'containerd-log' $ContainerdLogJob)) {
    'nothing keeps the log of containerd from filling the disk'
    exit 10
}
$info = & C:\k\crictl.exe --config C:\k\crictl.yaml info
if ($LASTEXITCODE -ne 0) {
    'containerd does not answer over CRI yet'
    exit 10
}
$ready = ((($info | Out-String) | ConvertFrom-Json).status.conditions | Where-Object { $_.type -eq 'RuntimeReady' }).status
if (-not $ready) {
    'containerd answers, but its runtime is not ready'
    exit 10
}
'containerd runs and is ready'
