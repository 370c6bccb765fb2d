<#
.SYNOPSIS
Stop kube-proxy, the kubelet and flanneld, in this order; they do not start again at the next boot.
#>
param()
$ErrorActionPreference = 'Stop'

foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$name\Parameters"
    if (-not (Test-Path $key)) { continue }
    if ([string](Get-ItemProperty -Path $key).Application -ne "C:\k\$name.exe") { continue }
    Set-Service -Name $name -StartupType Disabled
    Stop-Service -Name $name -Force
    "$name is stopped"
}
