<#
.SYNOPSIS
Stop kube-proxy, the kubelet and flanneld, in this order; they do not start again at the next boot.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Stop-WindowsService Test-OwnService

foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (-not (Test-OwnService $name)) { continue }
    Set-Service -Name $name -StartupType Disabled
    Stop-WindowsService $name
    "$name is stopped"
}
