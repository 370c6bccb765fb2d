<#
.SYNOPSIS
How far are the updates of Windows? One line: state, updates left, whether a reboot is wanted, what it says.
.DESCRIPTION
A file that speaks of work under way while no task runs is left over: that is `interrupted`.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Read-JobStatus Test-JobRunning

$runs = Test-JobRunning 'windows-update'
$folder = 'C:\k8swin\jobs\windows-update'
$status = Read-JobStatus $folder
if (-not $runs -and $status -and $status.state -ne 'done' -and $status.state -ne 'failed') {
    # The task may have ended between the two looks: the file is read again before it is judged.
    Start-Sleep -Seconds 1
    $status = Read-JobStatus $folder
}
if (-not $status) {
    if ($runs) { 'searching 0 False no status yet' } else { 'pending 0 False the task does not run' }
    exit 0
}
$state = $status.state
if (-not $runs -and $state -ne 'done' -and $state -ne 'failed') { $state = 'interrupted' }
"$state $($status.left) $($status.reboot) $($status.detail)"
