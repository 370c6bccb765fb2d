<#
.SYNOPSIS
Start the job that creates the HNS network, detached from this connection.
.DESCRIPTION
Creating the network takes the adapter over and cuts every connection for some seconds. A process of this
shell would die with it; a task of the system's does not, and leaves its progress in a file.
#>
param(
    [Parameter(Mandatory = $true)][string]$PodNetworkJob,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork
)
$ErrorActionPreference = 'Stop'

$folder = 'C:\k8swin\jobs\pod-network'
if (-not (Test-Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
$task = Get-ScheduledTask -TaskName k8swin-pod-network -ErrorAction SilentlyContinue
if ($task -and $task.State -eq 'Running') {
    'the job runs already'
    exit 0
}
$utf8 = New-Object System.Text.UTF8Encoding($true)
[System.IO.File]::WriteAllText("$folder\run.ps1", $PodNetworkJob, $utf8)
if (Test-Path "$folder\status.json") { Remove-Item -Path "$folder\status.json" -Force }

$arguments = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File $folder\run.ps1 -NodeAddress $NodeAddress -HnsNetwork $HnsNetwork"
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments
$principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
$settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit (New-TimeSpan -Minutes 10)
Register-ScheduledTask -TaskName k8swin-pod-network -Action $action -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName k8swin-pod-network
'the job is started'
