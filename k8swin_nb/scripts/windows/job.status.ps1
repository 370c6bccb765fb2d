<#
.SYNOPSIS
How far is a job of ours that goes on by itself? One line: state, then what it says.
.DESCRIPTION
A file that speaks of work under way while no task runs is left over: the server was switched off, or the job
was stopped. That is `interrupted`, and the job may be started anew.
#>
param([Parameter(Mandatory = $true)][string]$Job)
$ErrorActionPreference = 'Stop'
# uses: Read-JobStatus Test-JobRunning

$ended = @('done', 'rolled-back', 'failed')
$folder = "C:\k8swin\jobs\$Job"
$runs = Test-JobRunning $Job
$status = Read-JobStatus $folder
if (-not $runs -and $status -and $ended -notcontains $status.state) {
    # The task may have ended between the two looks: the file is read again before it is judged.
    Start-Sleep -Seconds 1
    $status = Read-JobStatus $folder
}
if (-not $status) {
    $task = Get-ScheduledTask -TaskName "k8swin-$Job" -ErrorAction SilentlyContinue
    if ($runs) {
        'started the task runs, its status is not to be read yet'
    } elseif (Test-Path "$folder\status.json") {
        'interrupted the task does not run, and its status is not to be read'
    } elseif ($task) {
        $result = (Get-ScheduledTaskInfo -TaskName "k8swin-$Job").LastTaskResult
        "pending the task is $($task.State), last result $result"
    } else {
        'pending there is no task'
    }
    exit 0
}
$state = $status.state
if (-not $runs -and $ended -notcontains $state) { $state = 'interrupted' }
"$state $($status.detail)"
