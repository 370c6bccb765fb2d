<#
.SYNOPSIS
Does none of the services run that these notebooks defined for the cluster?
.DESCRIPTION
A service is ours when nssm runs our program in it, or our script that starts the program. Somebody else's service of the same name is left alone.
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

$running = @()
foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (-not (Test-Ours $name)) { continue }
    $service = Get-Service -Name $name -ErrorAction SilentlyContinue
    if ($service -and $service.Status -ne 'Stopped') { $running += "$name is $($service.Status)" }
}
if ($running) {
    "to be stopped: $($running -join ', ')"
    exit 10
}
'no service of the cluster runs'
