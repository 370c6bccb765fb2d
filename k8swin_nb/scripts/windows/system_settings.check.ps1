<#
.SYNOPSIS
Are node ports outside the range of outgoing connections, and does WinRM wait for Hyper-V's network?
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-DynamicPortRange Get-FeatureState

foreach ($protocol in 'tcp', 'udp') {
    $first, $last = Get-DynamicPortRange $protocol
    if ($first -le 32767 -and $last -ge 30000) {
        "outgoing $protocol connections use the ports $first to $last, which are node ports in part"
        exit 10
    }
}
if ((Get-FeatureState Hyper-V) -eq 'Installed') {
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='WinRM'"
    if ($service.StartMode -eq 'Auto' -and -not $service.DelayedAutoStart) {
        'Hyper-V changes the network while Windows starts, and WinRM does not wait for it'
        exit 10
    }
}
'node ports are free, and WinRM starts in its turn'
