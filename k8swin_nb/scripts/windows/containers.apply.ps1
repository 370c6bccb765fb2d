<#
.SYNOPSIS
Install the Containers feature; the reboot that it needs is the next step's.
#>
param()
$ErrorActionPreference = 'Stop'

$result = Install-WindowsFeature -Name Containers -WarningAction SilentlyContinue
if (-not $result.Success) { throw "the feature Containers was not installed: $($result.ExitCode)" }
"the feature Containers is installed, restart needed: $($result.RestartNeeded)"
