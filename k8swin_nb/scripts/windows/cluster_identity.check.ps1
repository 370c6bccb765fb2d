<#
.SYNOPSIS
Is what stands on this server a worker of the planned cluster, made by these notebooks? Anything else is left alone.
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [string]$ClusterCa = ''
)
$ErrorActionPreference = 'Stop'
# uses: Get-AuthorityIn Read-Kubeconfig

$record = 'C:\k8swin\state\cluster-ca'
$config = 'C:\etc\kubernetes\kubelet.conf'
$admin = 'C:\k\config'
if (-not (Test-Path $config) -and (Test-Path $admin) -and (Test-Path 'C:\k8swin\state\found.json')) {
    # A worker of the Docker generation has the administrator's kubeconfig, and no other.
    $kubeconfig = Read-Kubeconfig $admin
    $found = $kubeconfig.ca
    $server = $kubeconfig.server
    if ($ClusterCa -and $found -cne $ClusterCa) {
        "this server belongs to another cluster than the one at ${ApiEndpoint}: its certificate authority differs"
        exit 20
    }
    if ($server -ne "https://$ApiEndpoint") {
        "this server belongs to the cluster at $server, not to https://$ApiEndpoint"
        exit 20
    }
    "this server is a worker of $server"
    exit 0
}
if (-not (Test-Path $config)) {
    'no cluster on this server'
    exit 0
}
if (-not (Test-Path $record)) {
    "the worker on this server was not made by these notebooks: $record is missing"
    exit 20
}
$ours = ([string](Get-Content -Path $record -TotalCount 1)).Trim()
$kubeconfig = Read-Kubeconfig $config
$server = $kubeconfig.server
$found = $kubeconfig.ca
if (-not $found -and (Test-Path 'C:\etc\kubernetes\pki\ca.crt')) {
    $found = Get-AuthorityIn 'C:\etc\kubernetes\pki\ca.crt'
}
if ($found -cne $ours) {
    'this server trusts another certificate authority than that of the cluster which it joined from here'
    exit 20
}
if ($ClusterCa -and $found -cne $ClusterCa) {
    "this server belongs to another cluster than the one at ${ApiEndpoint}: its certificate authority differs"
    exit 20
}
if ($server -ne "https://$ApiEndpoint") {
    "this server belongs to the cluster at $server, not to https://$ApiEndpoint"
    exit 20
}
"this server is a worker of $server"
