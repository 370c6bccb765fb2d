<#
.SYNOPSIS
Join the cluster with kubeadm, or start the kubelet of a worker that has joined already.
.DESCRIPTION
The configuration holds the join token: it comes by standard input, lies in a file only while kubeadm
runs, and that file is for administrators alone.
#>
param(
    [Parameter(Mandatory = $true)][string]$JoinConfiguration,
    [Parameter(Mandatory = $true)][string]$ClusterCa
)
$ErrorActionPreference = 'Stop'
# uses: Protect-File

if (Test-Path 'C:\etc\kubernetes\kubelet.conf') {
    # A kubelet registers its node when it starts, and at no other time.
    Restart-Service -Name kubelet -Force
    'the kubelet is started anew'
    exit 0
}
$file = 'C:\k8swin\join.yaml'
if ((Test-Path 'C:\etc\kubernetes\pki\ca.crt') -or (Test-Path 'C:\etc\kubernetes\bootstrap-kubelet.conf')) {
    # kubeadm stopped half-way earlier; it refuses to start over its own files.
    & C:\k\kubeadm.exe reset -f --cri-socket npipe:////./pipe/containerd-containerd | Out-Null
}
# Whose cluster this worker joins is written down first: a teardown removes it from no other one.
Set-Content -Path 'C:\k8swin\state\cluster-ca' -Value $ClusterCa -Encoding ASCII
Protect-File $file
try {
    [System.IO.File]::WriteAllText($file, $JoinConfiguration, (New-Object System.Text.UTF8Encoding($false)))
    & C:\k\kubeadm.exe join --config $file
    if ($LASTEXITCODE -ne 0) { throw "kubeadm.exe join ended with $LASTEXITCODE" }
} finally {
    Remove-Item -Path $file -Force
}
'this worker has joined the cluster'
