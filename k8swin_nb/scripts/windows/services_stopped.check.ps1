<#
.SYNOPSIS
Does none of the services run that these notebooks defined for the cluster?
.DESCRIPTION
Somebody else's service of the same name is left alone.
#>
param()
$ErrorActionPreference = 'Stop'

# Ours is a service in which nssm runs our program, or the script that starts it in the classic profile.
function Test-Ours([string]$Name) {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Name\Parameters"
    if (-not (Test-Path $key)) { return $false }
    $run = Get-ItemProperty -Path $key
    $run.Application -eq "C:\k\$Name.exe" -or "$($run.AppParameters)".EndsWith("-File C:\k8swin\$Name.ps1")
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
