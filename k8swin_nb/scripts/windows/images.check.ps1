<#
.SYNOPSIS
Are the images on this worker that its pods will need?
#>
param([Parameter(Mandatory = $true)][string]$Images)
$ErrorActionPreference = 'Stop'

$present = @(& "$env:ProgramFiles\containerd\ctr.exe" -n k8s.io images ls -q)
if ($LASTEXITCODE -ne 0) { throw "ctr.exe images ls ended with $LASTEXITCODE" }
$missing = @($Images -split ' ' | Where-Object { $present -notcontains $_ })
if ($missing) {
    "not on this worker: $($missing -join ' ')"
    exit 10
}
"on this worker: $Images"
