<#
.SYNOPSIS
Does this server carry the planned name, now or after the pending reboot?
#>
param([Parameter(Mandatory = $true)][string]$NodeName)
$ErrorActionPreference = 'Stop'

$names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
$next = (Get-ItemProperty -Path "$names\ComputerName").ComputerName.ToLowerInvariant()
if ($next -ne $NodeName) {
    if (Test-Path 'C:\etc\kubernetes\kubelet.conf') {
        "the computer name is $next, wanted $NodeName, and a kubelet is already registered under it"
        exit 20
    }
    $system = Get-CimInstance -ClassName Win32_ComputerSystem
    if ($system.PartOfDomain) {
        'hint: have this server renamed in its domain, by somebody who may (Rename-Computer -DomainCredential), reboot it, then run again'
        "the computer name is $next, wanted $NodeName, and only its domain $($system.Domain) can rename it"
        exit 20
    }
    "would: computer name: $next -> $NodeName, after a reboot"
    "the computer name is $next, wanted $NodeName"
    exit 10
}
"the computer name is $next"
