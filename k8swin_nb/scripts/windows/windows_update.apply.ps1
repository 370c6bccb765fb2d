<#
.SYNOPSIS
Start the job that installs the updates of Windows, as a task of the system's.
#>
param([Parameter(Mandatory = $true)][string]$WindowsUpdateJob)
$ErrorActionPreference = 'Stop'

$folder = 'C:\k8swin\jobs\windows-update'
if (-not (Test-Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
$task = Get-ScheduledTask -TaskName k8swin-windows-update -ErrorAction SilentlyContinue
if ($task -and ([string]$task.State -eq 'Running' -or [string]$task.State -eq 'Queued')) {
    'the job runs already'
    exit 0
}
foreach ($name in 'status.json', 'status.new') {
    if (Test-Path "$folder\$name") { Remove-Item -Path "$folder\$name" -Force }
}
[System.IO.File]::WriteAllText("$folder\run.ps1", $WindowsUpdateJob, (New-Object System.Text.UTF8Encoding($true)))
$arguments = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File $folder\run.ps1"
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments
$principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
$settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit (New-TimeSpan -Hours 2) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
Register-ScheduledTask -TaskName k8swin-windows-update -Action $action -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName k8swin-windows-update
'the job is started'
