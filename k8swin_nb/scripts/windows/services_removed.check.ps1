<#
.SYNOPSIS
Are the services gone that these notebooks defined for the cluster?
#>
param()
$ErrorActionPreference = 'Stop'

function Test-Ours([string]$Name) {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Name\Parameters"
    if (-not (Test-Path $key)) { return $false }
    $found = Get-ItemProperty -Path $key
    if ([string]$found.Application -eq "C:\k\$Name.exe") { return $true }
    # An early flanneld is started by a script of ours.
    [string]$found.Application -like '*\powershell.exe' -and ([string]$found.AppParameters).EndsWith("-File C:\k8swin\$Name.ps1")
}

$left = @()
foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (Test-Ours $name) { $left += $name }
}
if ($left) {
    "services of the cluster: $($left -join ', ')"
    exit 10
}
'no service of the cluster is defined'
