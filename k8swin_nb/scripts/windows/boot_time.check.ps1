<#
.SYNOPSIS
When did this server boot? Two different answers prove a reboot.
#>
param()
$ErrorActionPreference = 'Stop'

(Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ')
