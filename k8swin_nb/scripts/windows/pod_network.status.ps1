<#
.SYNOPSIS
How far is the job that creates the HNS network? One line: state, then what it says.
#>
param()
$ErrorActionPreference = 'Stop'

$file = 'C:\k8swin\jobs\pod-network\status.json'
if (-not (Test-Path $file)) {
    $task = Get-ScheduledTask -TaskName k8swin-pod-network -ErrorAction SilentlyContinue
    if ($task -and $task.State -ne 'Running') {
        $result = (Get-ScheduledTaskInfo -TaskName k8swin-pod-network).LastTaskResult
        "pending the task is $($task.State), last result $result"
    } else {
        'pending no status yet'
    }
    exit 0
}
$status = Get-Content -Path $file -Raw | ConvertFrom-Json
"$($status.state) $($status.detail)"
