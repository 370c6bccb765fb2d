<#
.SYNOPSIS
Start flanneld, wait for its HNS network, and give the worker its address back if Windows loses it.
.DESCRIPTION
Runs as a task of the system's, since it cuts the network under its own starter. Every stage is written to
status.json: started, waiting, restoring, done, or rolled-back with the reason.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [int]$TimeoutSeconds = 120
)
$ErrorActionPreference = 'Stop'
$folder = 'C:\k8swin\jobs\pod-network'
$saved = Get-Content -Path 'C:\k8swin\network.json' -Raw | ConvertFrom-Json

function Write-Status([string]$State, [string]$Detail) {
    $status = [ordered]@{ state = $State; detail = $Detail; time = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ') }
    # A reader must never see half a file.
    Set-Content -Path "$folder\status.new" -Value ($status | ConvertTo-Json -Compress) -Encoding ASCII
    Move-Item -Path "$folder\status.new" -Destination "$folder\status.json" -Force
}

function Test-Address {
    @(Get-NetIPAddress -AddressFamily IPv4 -ErrorAction SilentlyContinue | Where-Object { $_.IPAddress -eq $NodeAddress }).Count -gt 0
}

function Restore-Address {
    $switch = Get-NetAdapter | Where-Object { $_.Name -like 'vEthernet*' -and $_.MacAddress -eq $saved.mac -and $_.Status -eq 'Up' } | Select-Object -First 1
    $alias = $saved.alias
    if ($switch) { $alias = $switch.Name }
    Write-Status 'restoring' "giving $NodeAddress back to $alias"
    if ($saved.gateway) {
        New-NetIPAddress -InterfaceAlias $alias -IPAddress $saved.address -PrefixLength $saved.prefixLength -DefaultGateway $saved.gateway | Out-Null
    } else {
        New-NetIPAddress -InterfaceAlias $alias -IPAddress $saved.address -PrefixLength $saved.prefixLength | Out-Null
    }
    if ($saved.dns) { Set-DnsClientServerAddress -InterfaceAlias $alias -ServerAddresses @($saved.dns) }
}

try {
    Write-Status 'started' 'starting flanneld'
    Start-Service -Name flanneld
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $lost = 0
    while ($true) {
        $network = @(Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork })
        $address = Test-Address
        if ($network.Count -eq 1 -and $network[0].ManagementIP -and $address) { break }
        if ($network.Count -ge 1 -and -not $address) { $lost++ } else { $lost = 0 }
        if ($lost -ge 10) {
            # A DHCP lease comes back by itself within seconds; what is still missing now stays missing.
            Restore-Address
            $lost = 0
        }
        if ($watch.Elapsed.TotalSeconds -gt $TimeoutSeconds) {
            throw "no HNS network $HnsNetwork with address $NodeAddress after $TimeoutSeconds s; see C:\var\log\flanneld\flanneld.log"
        }
        Write-Status 'waiting' "$([int]$watch.Elapsed.TotalSeconds) s: $($network.Count) network, address in place: $address"
        Start-Sleep -Seconds 2
    }
    Write-Status 'done' "the HNS network $HnsNetwork is up after $([int]$watch.Elapsed.TotalSeconds) s"
} catch {
    $reason = $_.Exception.Message
    try {
        Stop-Service -Name flanneld -Force
        Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork } | Remove-HnsNetwork
        Start-Sleep -Seconds 5
        if (-not (Test-Address)) { Restore-Address }
        Write-Status 'rolled-back' $reason
    } catch {
        Write-Status 'failed' "$reason; and the network could not be put back: $($_.Exception.Message)"
    }
    exit 1
}
