<#
.SYNOPSIS
Install the Containers feature; the reboot that it needs is the next step's.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-FeatureState

$before = Get-FeatureState Containers
try {
    $result = Install-WindowsFeature -Name Containers -WarningAction SilentlyContinue
} catch {
    if ($before -ne 'Removed') { throw }
    throw "$($_.Exception.Message) The files of the feature Containers were removed from this server: let it reach Windows Update, or install it from the installation medium with Install-WindowsFeature Containers -Source"
}
if (-not $result.Success) { throw "the feature Containers was not installed: $($result.ExitCode)" }
"the feature Containers is installed, restart needed: $($result.RestartNeeded)"
