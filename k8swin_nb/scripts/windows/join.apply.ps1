<#
.SYNOPSIS
Join the cluster with kubeadm, or start the kubelet of a worker that has joined already.
.DESCRIPTION
The configuration holds the join token: it comes by standard input, lies in a file only while kubeadm
runs, and that file is for administrators alone.
#>
param(
    [Parameter(Mandatory = $true)][string]$JoinConfiguration,
    [Parameter(Mandatory = $true)][string]$CriSocket,
    [Parameter(Mandatory = $true)][string]$ClusterCa
)
$ErrorActionPreference = 'Stop'
# uses: Protect-File Remove-File Reset-Kubeadm Restart-WrappedService Save-Found

$file = 'C:\k8swin\join.yaml'
$marker = 'C:\k8swin\state\kubeadm-join.started'
if (Test-Path 'C:\etc\kubernetes\kubelet.conf') {
    # Left by a join that was cut short behind its work: the token opens the cluster to whoever reads it.
    Remove-File $file
    Remove-File $marker
    # A kubelet registers its node when it starts, and at no other time.
    Restart-WrappedService kubelet
    'the kubelet is started anew'
    exit 0
}
if (Test-Path $marker) {
    # kubeadm stopped half-way in a join from here; it refuses to start over its own files.
    Reset-Kubeadm $CriSocket
} else {
    # What kubeadm is about to write over.
    foreach ($before in 'C:\var\lib\kubelet\config.yaml', 'C:\var\lib\kubelet\kubeadm-flags.env') { Save-Found $before }
}
foreach ($left in 'C:\etc\kubernetes\pki\ca.crt', 'C:\etc\kubernetes\bootstrap-kubelet.conf') {
    # Of this cluster, which the check has seen to; kubeadm refuses it all the same.
    if (Test-Path $left) {
        Save-Found $left
        Remove-File $left
    }
}
# Whose cluster this worker joins is written down first: a teardown removes it from no other one.
Set-Content -Path 'C:\k8swin\state\cluster-ca' -Value $ClusterCa -Encoding ASCII
Set-Content -Path $marker -Value 'kubeadm join has begun' -Encoding ASCII
Protect-File $file
try {
    [System.IO.File]::WriteAllText($file, $JoinConfiguration, (New-Object System.Text.UTF8Encoding($false)))
    & C:\k\kubeadm.exe join --config $file
    if ($LASTEXITCODE -ne 0) { throw "kubeadm.exe join ended with $LASTEXITCODE" }
} finally {
    Remove-File $file
}
Remove-File $marker
'this worker has joined the cluster'
