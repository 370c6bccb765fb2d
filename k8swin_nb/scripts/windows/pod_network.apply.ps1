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
    [string]$ExternalNetwork = ''
)
$ErrorActionPreference = 'Stop'

$folder = 'C:\k8swin\jobs\pod-network'
if (-not (Test-Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
$task = Get-ScheduledTask -TaskName k8swin-pod-network -ErrorAction SilentlyContinue
if ($task -and ([string]$task.State -eq 'Running' -or [string]$task.State -eq 'Queued')) {
    'the job runs already'
    exit 0
}
foreach ($name in 'status.json', 'status.new', 'external.json') {
    if (Test-Path "$folder\$name") { Remove-Item -Path "$folder\$name" -Force }
}
[System.IO.File]::WriteAllText("$folder\run.ps1", $PodNetworkJob, (New-Object System.Text.UTF8Encoding($true)))
$arguments = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File $folder\run.ps1 -NodeAddress $NodeAddress -HnsNetwork $HnsNetwork -NetworkType $NetworkType"
if ($ExternalNetwork) {
    [System.IO.File]::WriteAllText("$folder\external.json", $ExternalNetwork, (New-Object System.Text.UTF8Encoding($false)))
    $arguments += " -ExternalNetworkFile $folder\external.json"
}
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments
$principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
$settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit (New-TimeSpan -Minutes 15) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
Register-ScheduledTask -TaskName k8swin-pod-network -Action $action -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName k8swin-pod-network
'the job is started'
