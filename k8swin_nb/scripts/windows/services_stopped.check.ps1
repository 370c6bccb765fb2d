<#
.SYNOPSIS
Does none of the services run that these notebooks defined for the cluster?
.DESCRIPTION
A service is ours when nssm runs our program in it. Somebody else's service of the same name is left alone.
#>
param()
$ErrorActionPreference = 'Stop'

$running = @()
foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$name\Parameters"
    if (-not (Test-Path $key)) { continue }
    if ([string](Get-ItemProperty -Path $key).Application -ne "C:\k\$name.exe") { continue }
    $service = Get-Service -Name $name -ErrorAction SilentlyContinue
    if ($service -and $service.Status -ne 'Stopped') { $running += "$name is $($service.Status)" }
}
if ($running) {
    "to be stopped: $($running -join ', ')"
    exit 10
}
'no service of the cluster runs'
