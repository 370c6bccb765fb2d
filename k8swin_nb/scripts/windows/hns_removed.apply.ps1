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
    [Parameter(Mandatory = $true)][string]$PodSubnet
)
$ErrorActionPreference = 'Stop'

$folder = 'C:\k8swin\jobs\hns-removed'
if (-not (Test-Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
$task = Get-ScheduledTask -TaskName k8swin-hns-removed -ErrorAction SilentlyContinue
if ($task -and $task.State -eq 'Running') {
    'the job runs already'
    exit 0
}
$utf8 = New-Object System.Text.UTF8Encoding($true)
[System.IO.File]::WriteAllText("$folder\run.ps1", $HnsRemovalJob, $utf8)
if (Test-Path "$folder\status.json") { Remove-Item -Path "$folder\status.json" -Force }

$arguments = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File $folder\run.ps1 -NodeAddress $NodeAddress -HnsNetwork $HnsNetwork -PodSubnet $PodSubnet"
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments
$principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
$settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit (New-TimeSpan -Minutes 10)
Register-ScheduledTask -TaskName k8swin-hns-removed -Action $action -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName k8swin-hns-removed
'the job is started'
