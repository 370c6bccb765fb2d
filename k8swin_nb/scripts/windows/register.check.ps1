<#
.SYNOPSIS
Is this worker a node of the cluster, and does its kubelet run?
#>
param([Parameter(Mandatory = $true)][string]$NodeName)
$ErrorActionPreference = 'Stop'

$service = Get-Service -Name kubelet -ErrorAction SilentlyContinue
if (-not $service -or $service.Status -ne 'Running') {
    'the kubelet does not run'
    exit 10
}
$ErrorActionPreference = 'Continue'
& C:\k\kubectl.exe --kubeconfig=C:\k\config --request-timeout=15s get "nodes/$NodeName" -o name 2>&1 | Out-Null
if ($LASTEXITCODE -ne 0) {
    "the node $NodeName is not registered"
    exit 10
}
"the node $NodeName is registered and its kubelet runs"
exit 0
