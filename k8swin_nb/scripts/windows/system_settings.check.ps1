<#
.SYNOPSIS
Are node ports outside the range of outgoing connections, does WinRM wait for Hyper-V's network, do pods find SMB shares by name?
#>
param([string]$ClusterProfile = '')
$ErrorActionPreference = 'Stop'
# uses: Get-DynamicPortRange Get-FeatureState

$differs = @()
foreach ($protocol in 'tcp', 'udp') {
    $first, $last = Get-DynamicPortRange $protocol
    if ($first -le 32767 -and $last -ge 30000) {
        "would: dynamic $protocol ports: $first to $last -> outside 30000 to 32767"
        $differs += "outgoing $protocol connections use the ports $first to $last, which are node ports in part"
    }
}
if ((Get-FeatureState Hyper-V) -eq 'Installed') {
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='WinRM'"
    if ($service.StartMode -eq 'Auto' -and -not $service.DelayedAutoStart) {
        'would: service WinRM: automatic -> automatic, delayed'
        $differs += 'Hyper-V changes the network while Windows starts, and WinRM does not wait for it'
    }
}
# With containerd a pod looks the name of a share up in the server's own network compartment, unless HNS is told otherwise.
$hns = 'HKLM:\SYSTEM\CurrentControlSet\Services\hns'
if ($ClusterProfile -eq 'current' -and (Test-Path $hns)) {
    $found = $null
    if (Test-Path "$hns\State") { $found = Get-ItemProperty -Path "$hns\State" }
    if (-not $found -or -not $found.PSObject.Properties['EnableCompartmentNamespace'] -or $found.EnableCompartmentNamespace -ne 1) {
        'would: EnableCompartmentNamespace of HNS: not 1 -> 1'
        $differs += 'pods reach SMB shares by address only: EnableCompartmentNamespace of HNS is not 1'
    }
}
if ($differs) {
    $differs -join '; '
    exit 10
}
'node ports are free, and WinRM starts in its turn'
