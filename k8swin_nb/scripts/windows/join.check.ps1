<#
.SYNOPSIS
Has this worker joined this cluster, and does its kubelet run?
.DESCRIPTION
A cluster that is not made yet has no ClusterCa.
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [Parameter(Mandatory = $true)][string]$NodeName,
    [string]$ClusterCa = ''
)
$ErrorActionPreference = 'Stop'
# uses: Get-AuthorityIn Read-Kubeconfig Get-KubeletIdentity

$config = 'C:\etc\kubernetes\kubelet.conf'
if (-not (Test-Path $config)) {
    $left = 'C:\etc\kubernetes\pki\ca.crt'
    if ((Test-Path $left) -and (Get-AuthorityIn $left) -cne $ClusterCa) {
        "$left is left over from another cluster: nothing in C:\etc\kubernetes\pki is removed from here"
        exit 20
    }
    $pods = @(Get-ChildItem -LiteralPath 'C:\etc\kubernetes\manifests' -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName })
    if ($pods -and -not (Test-Path 'C:\k8swin\state\kubeadm-join.started')) {
        "kubeadm joins no server with pods of its own: $($pods -join ' '); move them away"
        exit 20
    }
    "would: kubelet: of no cluster -> joined to https://$ApiEndpoint by kubeadm join, Running"
    'this worker has not joined a cluster'
    exit 10
}
$kubeconfig = Read-Kubeconfig $config
$server = $kubeconfig.server
$ca = $kubeconfig.ca
if ($server -ne "https://$ApiEndpoint") {
    "this worker belongs to the cluster at $server, not to https://$ApiEndpoint, by $config"
    exit 20
}
if ($ca -and $ca -cne $ClusterCa) {
    "this worker trusts another certificate authority than the cluster at $server has"
    exit 20
}
$identity = Get-KubeletIdentity
if ($identity -and $identity -ne $NodeName) {
    "hint: name this server $identity under ``hosts``; or run 90_teardown for it, then this notebook again"
    "the kubelet of this server is the node $identity, planned is $NodeName"
    exit 20
}
$state = (Get-Service -Name kubelet).Status
if ($state -ne 'Running') {
    "would: service kubelet: $state -> Running"
    "this worker has joined, its kubelet is $state"
    exit 10
}
if (Test-Path 'C:\k8swin\join.yaml') {
    'would: C:\k8swin\join.yaml: there, with the token of the join -> removed'
    'this worker has joined, and the file with the token of the join is left'
    exit 10
}
"this worker has joined $server and its kubelet runs"
