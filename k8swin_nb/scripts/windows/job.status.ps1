<#
.SYNOPSIS
How far is a detached job of ours? One line: state, then what it says.
#>
param([Parameter(Mandatory = $true)][string]$Job)
$ErrorActionPreference = 'Stop'

$file = "C:\k8swin\jobs\$Job\status.json"
$task = Get-ScheduledTask -TaskName "k8swin-$Job" -ErrorAction SilentlyContinue
if (-not (Test-Path $file)) {
    if ($task -and $task.State -ne 'Running') {
        $result = (Get-ScheduledTaskInfo -TaskName "k8swin-$Job").LastTaskResult
        "pending the task is $($task.State), last result $result"
    } else {
        'pending no status yet'
    }
    exit 0
}
# The task is asked first: what it wrote last is read after it has ended.
$status = Get-Content -Path $file -Raw | ConvertFrom-Json
if (@('started', 'waiting', 'restoring') -contains $status.state -and (-not $task -or $task.State -ne 'Running')) {
    "lost the task ended without a word, for example in a reboot; before that: $($status.state), $($status.detail)"
    exit 0
}
"$($status.state) $($status.detail)"
