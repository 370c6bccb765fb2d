<#
.SYNOPSIS
Take back what kubeadm did to this server; the kubelet's service is removed by a later step.
#>
param([Parameter(Mandatory = $true)][string]$CriSocket)
$ErrorActionPreference = 'Stop'

if (Test-Path 'C:\k\kubeadm.exe') {
    & C:\k\kubeadm.exe reset -f --cri-socket $CriSocket
    if ($LASTEXITCODE -ne 0) { throw "kubeadm.exe reset ended with $LASTEXITCODE" }
} else {
    'kubeadm.exe is gone: its files are removed without it'
}
foreach ($file in 'C:\etc\kubernetes\kubelet.conf', 'C:\etc\kubernetes\bootstrap-kubelet.conf', 'C:\etc\kubernetes\pki\ca.crt', 'C:\var\lib\kubelet\config.yaml') {
    if (Test-Path $file) { Remove-Item -Path $file -Force }
}
'kubeadm reset is done'
