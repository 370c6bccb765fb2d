<#
.SYNOPSIS
Does containerd run as a service with the planned configuration?
.DESCRIPTION
The configuration itself is not given where passwords are in it: then its hash says whether it differs.
#>
param(
    [Parameter(Mandatory = $true)][string]$ContainerdSha256,
    [Parameter(Mandatory = $true)][string]$ContainerdLogJob,
    [string]$ContainerdConfig = ''
)
$ErrorActionPreference = 'Stop'
# uses: Get-FileDifference Get-ForeignRuntime Get-Sha256 Test-FoundService Test-NightJob Test-RestartDue

$foreign = Get-ForeignRuntime containerd
if ($foreign) {
    $foreign
    exit 20
}
$differs = @()
$file = Join-Path $env:ProgramFiles 'containerd\config.toml'
if (-not (Test-Path $file) -or (Get-Sha256 $file) -ne $ContainerdSha256) {
    if ($ContainerdConfig) { Get-FileDifference $file $ContainerdConfig } else { "would: ${file}: as found -> as planned, with logins that are not shown" }
    $differs += "$file is missing or differs from the plan"
}
$service = Get-CimInstance -ClassName Win32_Service -Filter "Name='containerd'"
if (-not $service -or $service.State -ne 'Running' -or $service.StartMode -ne 'Auto') {
    $found = 'not there'
    if ($service) { $found = "$($service.State), $($service.StartMode)" }
    "would: service containerd: $found -> Running, Auto"
    $differs += "the service containerd is $found, wanted Running, Auto"
} elseif (Test-RestartDue containerd) {
    'would: service containerd: runs with another configuration -> started anew'
    $differs += 'containerd has not read its configuration since that was changed'
}
if (-not (Test-FoundService containerd) -and -not (Test-NightJob 'containerd-log' $ContainerdLogJob)) {
    'would: task k8swin-containerd-log: not there, or another -> keeps the log of containerd short'
    $differs += 'nothing keeps the log of containerd from filling the disk'
}
if ($differs) {
    $differs -join '; '
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
