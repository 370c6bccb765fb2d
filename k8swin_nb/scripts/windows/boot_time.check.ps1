<#
.SYNOPSIS
When did this server boot, how many seconds ago, and is it through with what it does before anybody may log on?
.DESCRIPTION
`TIME SECONDS settled` or `booting`. A clock that is set moves the time of the boot; how long the server is up is the
difference of two readings of one clock, and tells whether it booted. The key of the logon screen comes about when that
is shown for the first time: until then Windows may still be busy with updates.
#>
param()
$ErrorActionPreference = 'Stop'

$system = Get-CimInstance -ClassName Win32_OperatingSystem
$boot = $system.LastBootUpTime.ToUniversalTime()
$up = ($system.LocalDateTime.ToUniversalTime() - $boot).TotalSeconds
$state = 'booting'
if (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked') { $state = 'settled' }
# Some cultures have other calendars and other signs between numbers.
$culture = [Globalization.CultureInfo]::InvariantCulture
"$($boot.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)) $($up.ToString('0.000', $culture)) $state"
