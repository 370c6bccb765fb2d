<#
.SYNOPSIS
Stop kube-proxy, the kubelet and flanneld, in this order; they do not start again at the next boot.
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

foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (-not (Test-Ours $name)) { continue }
    Set-Service -Name $name -StartupType Disabled
    Stop-Service -Name $name -Force
    "$name is stopped"
}
