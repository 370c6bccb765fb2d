<#
.SYNOPSIS
Are the images on this worker that its pods will need?
#>
param([Parameter(Mandatory = $true)][string]$Images)
$ErrorActionPreference = 'Stop'
# uses: Get-Listed

$present = @(Get-Listed "$env:ProgramFiles\containerd\ctr.exe" @('-n', 'k8s.io', 'images', 'ls', '-q'))
# Tags are told apart by their letters.
$missing = @($Images -split ' ' | Where-Object { $present -cnotcontains $_ })
if ($missing) {
    "not on this worker: $($missing -join ' ')"
    exit 10
}
"on this worker: $Images"
