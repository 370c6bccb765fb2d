<#
.SYNOPSIS
Install the Containers feature; the reboot that it needs is the next step's.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-FeatureState Get-PendingReboot

$before = Get-FeatureState Containers
try {
    $result = Install-WindowsFeature -Name Containers -WarningAction SilentlyContinue
} catch {
    # While a change of before wants one, Windows may refuse the next in words of its own language.
    $pending = @(Get-PendingReboot)
    if ($pending) { throw "$($_.Exception.Message) A reboot is pending for $($pending -join ', '): reboot this server, then run again" }
    if ($before -ne 'Removed') { throw }
    throw "$($_.Exception.Message) The files of the feature Containers were removed from this server: let it reach Windows Update, or install it from the installation medium with Install-WindowsFeature Containers -Source"
}
if (-not $result.Success) { throw "the feature Containers was not installed: $($result.ExitCode)" }
"the feature Containers is installed, restart needed: $($result.RestartNeeded)"
