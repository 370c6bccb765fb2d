<#
.SYNOPSIS
Is the container runtime as it was found: gone where it was installed here, with its own configuration elsewhere?
#>
param([Parameter(Mandatory = $true)][string]$KeepImages)
$ErrorActionPreference = 'Stop'
# uses: Read-Json Test-RestartDue Test-Written

$record = 'C:\k8swin\state\found.json'
if (-not (Test-Path $record)) {
    'nothing was installed on this server from here'
    exit 0
}
$found = Read-Json $record
$service = Get-Service -Name containerd -ErrorAction SilentlyContinue
$left = @()
if (@($found.services) -contains 'containerd') {
    $file = Join-Path $env:ProgramFiles 'containerd\config.toml'
    if ((Test-Written $file) -or (Test-RestartDue containerd)) { $left += 'the configuration of containerd' }
} elseif ($service) {
    $left += 'the service containerd'
}
if ($KeepImages -eq 'false' -and (Test-Path 'C:\k8swin\state\images.txt')) { $left += 'images that were pulled here' }
if ($left) {
    "to be removed or put back: $($left -join ', ')"
    exit 10
}
'the container runtime is as it was found'
