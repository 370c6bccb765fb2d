<#
.SYNOPSIS
Remove the cluster's HNS policy lists, endpoints and networks, and give the adapter its address back if it is lost.
.DESCRIPTION
Runs as a task of the system's, since it cuts the network under its own starter. Every stage is written to
status.json: started, waiting, restoring, done, or failed with the reason. Networks of others stay.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$PodSubnet,
    [int]$TimeoutSeconds = 120
)
$ErrorActionPreference = 'Stop'
$folder = 'C:\k8swin\jobs\hns-removed'
$saved = Get-Content -Path 'C:\k8swin\network.json' -Raw | ConvertFrom-Json
# uses: Save-JobStatus Test-OwnNetwork

function Write-Status([string]$State, [string]$Detail) {
    Save-JobStatus $folder ([ordered]@{ state = $State; detail = $Detail })
}

function Get-AddressAlias {
    @(Get-NetIPAddress -AddressFamily IPv4 -ErrorAction SilentlyContinue | Where-Object { $_.IPAddress -eq $NodeAddress } | ForEach-Object { $_.InterfaceAlias })
}

function Restore-Address([string]$Alias) {
    Write-Status 'restoring' "giving $NodeAddress back to $Alias"
    if ($saved.dhcp -eq 'Enabled') {
        Set-NetIPInterface -InterfaceAlias $Alias -AddressFamily IPv4 -Dhcp Enabled
        return
    }
    if ($saved.gateway) {
        New-NetIPAddress -InterfaceAlias $Alias -IPAddress $saved.address -PrefixLength $saved.prefixLength -DefaultGateway $saved.gateway | Out-Null
    } else {
        New-NetIPAddress -InterfaceAlias $Alias -IPAddress $saved.address -PrefixLength $saved.prefixLength | Out-Null
    }
    if ($saved.dns) { Set-DnsClientServerAddress -InterfaceAlias $Alias -ServerAddresses @($saved.dns) }
}

try {
    Write-Status 'started' 'removing the networks of the cluster'
    # kube-proxy does not run any more, so that its load balancers have no owner.
    $networks = @(Get-HnsNetwork | Where-Object { Test-OwnNetwork $_ $HnsNetwork $PodSubnet })
    if ($networks) { Get-HnsPolicyList | Remove-HnsPolicyList }
    foreach ($network in $networks) {
        Get-HnsEndpoint | Where-Object { $_.VirtualNetwork -eq $network.ID } | Remove-HnsEndpoint
    }
    foreach ($network in $networks) { $network | Remove-HnsNetwork }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $lost = 0
    while ($true) {
        $left = @(Get-HnsNetwork | Where-Object { Test-OwnNetwork $_ $HnsNetwork $PodSubnet })
        # Somebody else's network may hold the adapter further on; then the address stays where it is.
        $others = @(Get-HnsNetwork | Where-Object { $_.Type -ne 'NAT' -and $_.Type -ne 'ICS' })
        $alias = @(Get-AddressAlias)
        if (-not $left -and $alias -and ($others -or $alias -contains $saved.alias)) { break }
        if (-not $left -and -not $alias) { $lost++ } else { $lost = 0 }
        if ($lost -ge 10) {
            # A DHCP lease comes back by itself within seconds; what is still missing now stays missing.
            Restore-Address $saved.alias
            $lost = 0
        }
        if ($watch.Elapsed.TotalSeconds -gt $TimeoutSeconds) {
            throw "after $TimeoutSeconds s $($left.Count) networks are left and $NodeAddress is on [$($alias -join ' ')]"
        }
        Write-Status 'waiting' "$([int]$watch.Elapsed.TotalSeconds) s: $($left.Count) networks left, $NodeAddress on [$($alias -join ' ')]"
        Start-Sleep -Seconds 2
    }
    Write-Status 'done' "the networks of the cluster are removed, $NodeAddress is on $($alias -join ' ')"
} catch {
    $reason = $_.Exception.Message
    try {
        if (-not (Get-AddressAlias)) { Restore-Address $saved.alias }
        Write-Status 'failed' $reason
    } catch {
        Write-Status 'failed' "$reason; and the address could not be put back: $($_.Exception.Message)"
    }
    exit 1
}
