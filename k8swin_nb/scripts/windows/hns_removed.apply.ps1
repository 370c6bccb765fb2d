<#
.SYNOPSIS
Start the job that removes the HNS networks, detached from this connection.
.DESCRIPTION
Removing the network gives the adapter back and cuts every connection for some seconds. A task of the system's
goes on meanwhile, and leaves its progress in a file.
#>
param(
    [Parameter(Mandatory = $true)][string]$HnsRemovalJob,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$PodSubnet,
    [string]$ExternalNetwork = ''
)
$ErrorActionPreference = 'Stop'
# uses: Test-JobRunning Start-DetachedJob

if (Test-JobRunning 'hns-removed') {
    'the job runs already'
    exit 0
}
$arguments = "-NodeAddress $NodeAddress -HnsNetwork $HnsNetwork -PodSubnet $PodSubnet"
if ($ExternalNetwork) { $arguments += ' -Placeholder External' }
Start-DetachedJob 'hns-removed' $HnsRemovalJob $arguments (New-TimeSpan -Minutes 10)
'the job is started'
