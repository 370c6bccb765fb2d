<#
.SYNOPSIS
Keep outgoing connections off the node ports, start WinRM late where Hyper-V changes the network at boot, let pods use SMB shares by name.
.DESCRIPTION
The range from 34000 to 65535 is also larger than the one that Windows ships: many pods share it.
#>
param([string]$ClusterProfile = '')
$ErrorActionPreference = 'Stop'
# uses: Get-DynamicPortRange Get-FeatureState

foreach ($protocol in 'tcp', 'udp') {
    $first, $last = Get-DynamicPortRange $protocol
    if ($first -le 32767 -and $last -ge 30000) {
        & netsh.exe interface ipv4 set dynamicportrange $protocol start=34000 num=31536 | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "netsh.exe ended with $LASTEXITCODE" }
        "outgoing $protocol connections use the ports 34000 to 65535"
    }
}
if ((Get-FeatureState Hyper-V) -eq 'Installed') {
    & sc.exe config winrm start= delayed-auto | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "sc.exe config ended with $LASTEXITCODE" }
    'WinRM starts after the other services'
}
$hns = 'HKLM:\SYSTEM\CurrentControlSet\Services\hns'
if ($ClusterProfile -eq 'current' -and (Test-Path $hns)) {
    if (-not (Test-Path "$hns\State")) { New-Item -Path "$hns\State" -Force | Out-Null }
    New-ItemProperty -Path "$hns\State" -Name EnableCompartmentNamespace -PropertyType DWord -Value 1 -Force | Out-Null
    'pods that are made from now on find SMB shares by name'
}
