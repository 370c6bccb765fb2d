<#
.SYNOPSIS
Is this worker a node of the cluster, and does its kubelet run?
#>
param([Parameter(Mandatory = $true)][string]$NodeName)
$ErrorActionPreference = 'Stop'
# uses: Test-RegisteredNode

$service = Get-Service -Name kubelet -ErrorAction SilentlyContinue
if (-not $service -or $service.Status -ne 'Running') {
    "would: node ${NodeName}: not registered -> registered by its kubelet"
    'the kubelet does not run'
    exit 10
}
if (-not (Test-RegisteredNode $NodeName)) {
    "would: node ${NodeName}: not registered -> registered by its kubelet"
    "the node $NodeName is not registered"
    exit 10
}
"the node $NodeName is registered and its kubelet runs"
exit 0
