<#
.SYNOPSIS
Run an early flanneld as a service: remove the endpoint that the last boot left, then start it.
.DESCRIPTION
Windows keeps HNS networks and endpoints over a reboot, and this flanneld gives up on an endpoint of its own that
it cannot attach again. Its arguments are in a file, since they look like parameters of this script.
#>
param([string]$ArgumentsFile = 'C:\k8swin\state\flanneld.json')
$ErrorActionPreference = 'Stop'

$wanted = Get-Content -Path $ArgumentsFile -Raw | ConvertFrom-Json
Get-HnsEndpoint | Where-Object { $_.Name -eq "$($wanted.network)_ep" } | Remove-HnsEndpoint
$flags = @($wanted.arguments)
# What it writes to standard error is its log, not a failure of this script.
$ErrorActionPreference = 'Continue'
& C:\k\flanneld.exe @flags
exit $LASTEXITCODE
