<#
.SYNOPSIS
Does this server wait for a reboot?
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-FeatureState Get-PendingReboot

$pending = @(Get-PendingReboot)
$state = Get-FeatureState Containers
if ($state -eq 'InstallPending' -or $state -eq 'UninstallPending') { $pending += 'the feature Containers' }
if ($pending) {
    "hint: what still stands there after a reboot, a reboot does not clear: see the history of Windows Update and C:\Windows\Logs\CBS\CBS.log, mend it with ``dism /online /cleanup-image /restorehealth``, and take away what somebody left in the registry"
    "would: reboot: pending for $($pending -join ', ') -> done"
    "a reboot is pending for: $($pending -join ', ')"
    exit 10
}
'no reboot is pending'
