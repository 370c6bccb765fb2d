<#
.SYNOPSIS
When did this server boot, how many seconds ago, and is it through with what it does before anybody may log on?
.DESCRIPTION
`TIME SECONDS settled` or `booting`. A clock that is set moves the time of the boot; how long the server is up is the
difference of two readings of one clock, and tells whether it booted. The key of the logon screen comes about when that
is shown for the first time: until then Windows may still be busy with updates. flanneld makes an overlay network anew at each
boot, which takes the adapter over: until then every connection is about to be cut.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Test-HoldsAdapter

$system = Get-CimInstance -ClassName Win32_OperatingSystem
$boot = $system.LastBootUpTime.ToUniversalTime()
$up = ($system.LocalDateTime.ToUniversalTime() - $boot).TotalSeconds
$state = 'booting'
if (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked') { $state = 'settled' }
# One that brings no network in five minutes will not do so now.
$flanneld = Get-CimInstance -ClassName Win32_Service -Filter "Name='flanneld'"
if ($flanneld -and $flanneld.StartMode -eq 'Auto' -and $up -lt 300) {
    try { $networks = @(Get-HnsNetwork | Where-Object { Test-HoldsAdapter $_ }) } catch { $networks = @() }
    if (-not $networks) { $state = 'booting' }
}
# Some cultures have other calendars and other signs between numbers.
$culture = [Globalization.CultureInfo]::InvariantCulture
"$($boot.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)) $($up.ToString('0.000', $culture)) $state"
