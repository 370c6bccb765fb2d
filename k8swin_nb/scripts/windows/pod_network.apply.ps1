<#
.SYNOPSIS
Start the job that creates the HNS network, detached from this connection.
.DESCRIPTION
Creating the network takes the adapter over and cuts every connection for some seconds. A process of this
shell would die with it; a task of the system's does not, and leaves its progress in a file. What an earlier
run left in that file is removed first.
#>
param(
    [Parameter(Mandatory = $true)][string]$PodNetworkJob,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$NetworkType,
    [string]$NodePodCidr = '',
    [string]$ExternalNetwork = ''
)
$ErrorActionPreference = 'Stop'
# uses: Remove-File Start-DetachedJob Test-JobRunning

if (Test-JobRunning 'pod-network') {
    'the job runs already'
    exit 0
}
$folder = 'C:\k8swin\jobs\pod-network'
if (-not (Test-Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
Remove-File "$folder\external.json"
$arguments = "-NodeAddress $NodeAddress -HnsNetwork $HnsNetwork -NetworkType $NetworkType"
if ($NodePodCidr) { $arguments += " -NodePodCidr $NodePodCidr" }
if ($ExternalNetwork) {
    [System.IO.File]::WriteAllText("$folder\external.json", $ExternalNetwork, (New-Object System.Text.UTF8Encoding($false)))
    $arguments += " -ExternalNetworkFile $folder\external.json"
}
Start-DetachedJob 'pod-network' $PodNetworkJob $arguments (New-TimeSpan -Minutes 30)
'the job is started'
