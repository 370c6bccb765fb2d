<#
.SYNOPSIS
Does this server wait for a reboot?
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-FeatureState

$pending = @()
if (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') { $pending += 'component servicing' }
if (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired') { $pending += 'Windows Update' }
$names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
$active = (Get-ItemProperty -Path "$names\ActiveComputerName").ComputerName
$next = (Get-ItemProperty -Path "$names\ComputerName").ComputerName
if ($active -ne $next) { $pending += "the name $next" }
if ((Test-Path 'HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon\JoinDomain') -or (Test-Path 'HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon\AvoidSpnSet')) { $pending += 'the domain' }
$state = Get-FeatureState Containers
if ($state -eq 'InstallPending' -or $state -eq 'UninstallPending') { $pending += 'the feature Containers' }
if ($pending) {
    "hint: what still stands there after a reboot, a reboot does not clear: see the history of Windows Update and C:\Windows\Logs\CBS\CBS.log, mend it with ``dism /online /cleanup-image /restorehealth``, and take away what somebody left in the registry"
    "a reboot is pending for: $($pending -join ', ')"
    exit 10
}
'no reboot is pending'
