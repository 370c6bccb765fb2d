<#
.SYNOPSIS
Is Docker as it was found: gone where it was installed here, with its own configuration elsewhere?
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
$folder = Join-Path $env:ProgramFiles 'docker'
$left = @()
if (@($found.services) -notcontains 'docker') {
    if (Get-Service -Name docker -ErrorAction SilentlyContinue) { $left += 'the service docker' }
    if (@([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';') -contains $folder) { $left += "$folder on PATH" }
} else {
    $file = Join-Path $env:ProgramData 'docker\config\daemon.json'
    if ((Test-Written $file) -or (Test-RestartDue docker)) { $left += 'the configuration of Docker' }
    if ($KeepImages -eq 'false' -and (Test-Path 'C:\k8swin\state\images.txt')) { $left += 'images that were pulled here' }
}
if ([Environment]::GetEnvironmentVariable('KUBECONFIG', 'Machine') -eq 'C:\k\config') { $left += 'the variable KUBECONFIG' }
if ($left) {
    "to be removed: $($left -join ', ')"
    exit 10
}
'the container runtime is as it was found'
