<#
.SYNOPSIS
Start the job that installs the updates of Windows, as a task of the system's.
#>
param([Parameter(Mandatory = $true)][string]$WindowsUpdateJob)
$ErrorActionPreference = 'Stop'
# uses: Test-JobRunning Start-DetachedJob

if (Test-JobRunning 'windows-update') {
    'the job runs already'
    exit 0
}
Start-DetachedJob 'windows-update' $WindowsUpdateJob '' (New-TimeSpan -Hours 2)
'the job is started'
