<#
.SYNOPSIS
Remove the cluster's HNS policy lists, endpoints and networks, and give the adapter its address back if it is lost.
.DESCRIPTION
Runs as a task of the system's, since it cuts the network under its own starter. Every stage is written to
status.json: started, waiting, restoring, done, or failed with the reason. Networks of others stay. While the adapter is
bound anew, HNS and Windows' own commands fail in passing: nothing but the end of the time makes that a failure.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$PodSubnet,
    [string]$Placeholder = '',
    [int]$TimeoutSeconds = 120
)
$ErrorActionPreference = 'Stop'
$folder = 'C:\k8swin\jobs\hns-removed'
# uses: Get-SavedAdapter Read-Json Remove-File Restore-NodeAddress Restore-NodeRest Save-JobStatus Test-HoldsAdapter Test-OwnNetwork

function Write-Status([string]$State, [string]$Detail) {
    Save-JobStatus $folder ([ordered]@{ state = $State; detail = $Detail })
}

function Get-NodeAddress {
    @(Get-NetIPAddress -AddressFamily IPv4 -ErrorAction SilentlyContinue | Where-Object { $_.IPAddress -eq $NodeAddress })
}

function Restore-Address {
    Write-Status 'restoring' "giving $NodeAddress back"
    Restore-NodeAddress $saved
    Restore-NodeRest $saved | ForEach-Object { Write-Status 'restoring' $_ }
}

# The network goes with it, so that what cannot be removed beforehand is told and holds nothing up.
function Invoke-Part([string]$PartTitle, [scriptblock]$PartBody) {
    try { & $PartBody } catch { Write-Status 'waiting' "${PartTitle}: $($_.Exception.Message)" }
}

# One round: what is left of the cluster's goes.
function Remove-Network {
    $networks = @(Get-HnsNetwork | Where-Object { Test-OwnNetwork $_ $HnsNetwork $PodSubnet $Placeholder })
    if (-not $networks) { return }
    # kube-proxy does not run any more, so that its load balancers have no owner.
    Invoke-Part 'a load balancer stays' { Get-HnsPolicyList | Where-Object { $_ } | Remove-HnsPolicyList }
    foreach ($network in $networks) {
        Invoke-Part 'an endpoint stays' { Get-HnsEndpoint | Where-Object { $_.VirtualNetwork -eq $network.ID } | Remove-HnsEndpoint }
    }
    foreach ($network in $networks) { $network | Remove-HnsNetwork }
}

try {
    Write-Status 'started' 'removing the networks of the cluster'
    $saved = Read-Json 'C:\k8swin\network.json'
} catch {
    Write-Status 'failed' "the network configuration is not known, and nothing was changed: $($_.Exception.Message)"
    exit 1
}
$watch = [System.Diagnostics.Stopwatch]::StartNew()
$lost = 0
while ($true) {
    $why = ''
    $left = $null
    $address = $null
    try {
        Remove-Network
        $all = @(Get-HnsNetwork | Where-Object { $_ })
        $left = @($all | Where-Object { Test-OwnNetwork $_ $HnsNetwork $PodSubnet $Placeholder }).Count
        # Somebody else's network may hold the card further on; then the address stays where it is.
        $others = @($all | Where-Object { Test-HoldsAdapter $_ })
        $address = @(Get-NodeAddress)
        $card = Get-SavedAdapter $saved
        $inPlace = @($address | Where-Object { $others -or -not $card -or $_.InterfaceIndex -eq $card.ifIndex })
        if ($left -eq 0 -and $inPlace) { break }
    } catch {
        $why = "; not to be found out: $($_.Exception.Message)"
    }
    if ($null -ne $address -and $address.Count -eq 0) { $lost++ } else { $lost = 0 }
    $on = @($address | ForEach-Object { $_.InterfaceAlias }) -join ' '
    $found = "$left networks left, $NodeAddress on [$on]$why"
    $late = $watch.Elapsed.TotalSeconds -gt $TimeoutSeconds
    if ($lost -ge 10 -or ($late -and $lost)) {
        # A DHCP lease comes back by itself within seconds; what is still missing now stays missing.
        try { Restore-Address } catch { Write-Status 'restoring' "not yet: $($_.Exception.Message)" }
        $lost = 0
    }
    if ($late) {
        $end = ''
        if (-not (Get-NodeAddress)) { $end = '; and the address could not be put back' }
        Write-Status 'failed' "after $TimeoutSeconds s $found$end"
        exit 1
    }
    Write-Status 'waiting' "$([int]$watch.Elapsed.TotalSeconds) s: $found"
    Start-Sleep -Seconds 2
}
try { Restore-NodeRest $saved | ForEach-Object { Write-Status 'restoring' $_ } } catch { Write-Status 'restoring' "not yet: $($_.Exception.Message)" }
# Addresses that were kept from pods: where the store was there before, the removal of files leaves it.
try {
    foreach ($file in @(Get-ChildItem -LiteralPath "C:\var\lib\cni\networks\$HnsNetwork" -ErrorAction SilentlyContinue)) {
        if (@('k8swin-bridge', 'k8swin-kube-proxy') -contains [string](Get-Content -LiteralPath $file.FullName -TotalCount 1)) {
            Remove-File $file.FullName
        }
    }
} catch {
    Write-Status 'waiting' "a reserved address stays in the store of host-local: $($_.Exception.Message)"
}
Write-Status 'done' "the networks of the cluster are removed, $NodeAddress is on $(@($address | ForEach-Object { $_.InterfaceAlias }) -join ' ')"
