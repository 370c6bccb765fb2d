<#
.SYNOPSIS
Are the images on this worker that its pods will need?
#>
param([Parameter(Mandatory = $true)][string]$Images)
$ErrorActionPreference = 'Stop'
# uses: Get-Listed

$ctr = "$env:ProgramFiles\containerd\ctr.exe"
if (-not (Test-Path $ctr)) {
    foreach ($image in $Images -split ' ') { "would: ${image}: not on this worker -> pulled" }
    "containerd is not installed yet, and none of these images is on this worker: $Images"
    exit 10
}
$present = @(Get-Listed $ctr @('-n', 'k8s.io', 'images', 'ls', '-q'))
# Tags are told apart by their letters.
$missing = @($Images -split ' ' | Where-Object { $present -cnotcontains $_ })
if ($missing) {
    foreach ($image in $missing) { "would: ${image}: not on this worker -> pulled" }
    "not on this worker: $($missing -join ' ')"
    exit 10
}
"on this worker: $Images"
