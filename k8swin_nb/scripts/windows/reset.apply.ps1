<#
.SYNOPSIS
Take back what kubeadm did to this server; the kubelet's service is removed by a later step.
.DESCRIPTION
What is not of kubeadm's making is moved out of its way and back.
#>
param([Parameter(Mandatory = $true)][string]$CriSocket)
$ErrorActionPreference = 'Stop'
# uses: Get-OthersOfKubeadm Remove-File Reset-Kubeadm

Reset-Kubeadm $CriSocket
# Behind it: what one that was cut short had moved away is there again.
$others = @(Get-OthersOfKubeadm)
foreach ($file in 'C:\etc\kubernetes\kubelet.conf', 'C:\etc\kubernetes\bootstrap-kubelet.conf', 'C:\etc\kubernetes\pki\ca.crt', 'C:\var\lib\kubelet\config.yaml') {
    if ($others -notcontains $file) { Remove-File $file }
}
Remove-File 'C:\k8swin\state\kubeadm-join.started'
'kubeadm reset is done'
