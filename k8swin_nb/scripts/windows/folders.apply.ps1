<#
.SYNOPSIS
Make the folders, put C:\k on the machine's PATH, and save the network configuration.
.DESCRIPTION
The saved configuration is what the pod network's job restores if Windows loses the address when the
virtual switch takes the adapter over. It is written once, before that happens.
#>
param(
    [Parameter(Mandatory = $true)][string]$Folders,
    [Parameter(Mandatory = $true)][string]$NodeAddress
)
$ErrorActionPreference = 'Stop'

foreach ($folder in $Folders -split ';') {
    if (-not (Test-Path -Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
}
if (-not (Test-Path 'C:\k8swin\owned')) {
    Set-Content -Path 'C:\k8swin\owned' -Value 'folders, services and networks here belong to k8swin' -Encoding ASCII
}

# Only the machine's own value is read and written: $env:Path also holds the user's and the session's.
$entries = @([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';' | Where-Object { $_ -and $_ -ne 'C:\k' })
[Environment]::SetEnvironmentVariable('Path', (($entries + 'C:\k') -join ';'), 'Machine')

if (-not (Test-Path 'C:\k8swin\network.json')) {
    $address = Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress }
    $index = $address.InterfaceIndex
    $gateway = Get-NetRoute -AddressFamily IPv4 -DestinationPrefix '0.0.0.0/0' -ErrorAction SilentlyContinue |
        Where-Object { $_.InterfaceIndex -eq $index } | Select-Object -First 1
    $nextHop = ''
    if ($gateway) { $nextHop = $gateway.NextHop }
    $interface = Get-NetIPInterface -AddressFamily IPv4 | Where-Object { $_.InterfaceIndex -eq $index }
    $adapter = Get-NetAdapter | Where-Object { $_.ifIndex -eq $index }
    $dns = Get-DnsClientServerAddress -AddressFamily IPv4 | Where-Object { $_.InterfaceIndex -eq $index }
    $saved = [ordered]@{
        alias        = $address.InterfaceAlias
        mac          = $adapter.MacAddress
        address      = $address.IPAddress
        prefixLength = $address.PrefixLength
        gateway      = $nextHop
        dns          = @($dns.ServerAddresses)
        dhcp         = [string]$interface.Dhcp
    }
    Set-Content -Path 'C:\k8swin\network.json' -Value ($saved | ConvertTo-Json) -Encoding ASCII
}
'folders are made, PATH is set, the network configuration is saved'
