<#
.SYNOPSIS
Stop kube-proxy, the kubelet and flanneld, in this order; they do not start again at the next boot.
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

foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (-not (Test-Ours $name)) { continue }
    Set-Service -Name $name -StartupType Disabled
    Stop-Service -Name $name -Force
    "$name is stopped"
}
