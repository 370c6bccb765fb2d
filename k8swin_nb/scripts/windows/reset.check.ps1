<#
.SYNOPSIS
Is nothing of kubeadm's work left on this server?
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-OthersOfKubeadm

if (-not (Test-Path 'C:\k8swin\state\cluster-ca')) {
    'this server has not joined a cluster from here'
    exit 0
}
$others = @(Get-OthersOfKubeadm)
$left = @('kubelet.conf', 'bootstrap-kubelet.conf', 'pki\ca.crt' | Where-Object { (Test-Path "C:\etc\kubernetes\$_") -and $others -notcontains "C:\etc\kubernetes\$_" })
if (Test-Path 'C:\var\lib\kubelet\config.yaml') { $left += 'the configuration of the kubelet' }
if ($left) {
    "to be reset: $($left -join ', ')"
    exit 10
}
"nothing of kubeadm's work is on this server"
