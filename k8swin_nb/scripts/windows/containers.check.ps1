<#
.SYNOPSIS
Is the Containers feature installed, or waiting for a reboot?
#>
param()
$ErrorActionPreference = 'Stop'

$feature = Get-WindowsFeature -Name Containers
if ($feature.InstallState -eq 'Available' -or $feature.InstallState -eq 'Removed') {
    "the feature Containers is $($feature.InstallState)"
    exit 10
}
"the feature Containers is $($feature.InstallState)"
