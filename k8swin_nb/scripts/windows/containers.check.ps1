<#
.SYNOPSIS
Is the Containers feature installed, or waiting for a reboot?
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-FeatureState

$state = Get-FeatureState Containers
if ($state -eq 'Available' -or $state -eq 'Removed') {
    "would: feature Containers: $state -> Installed"
    "the feature Containers is $state"
    exit 10
}
if ($state -ne 'Installed' -and $state -ne 'InstallPending') {
    'hint: reboot this server, then run again'
    "somebody has removed the feature Containers, and the reboot that ends this is pending: it is $state"
    exit 20
}
"the feature Containers is $state"
