<#
.SYNOPSIS
Start flanneld, wait for its HNS network, and give the worker its address back if Windows loses it.
.DESCRIPTION
Runs as a task of the system's, since it cuts the network under its own starter. Every stage is written to
status.json: started, waiting, restoring, relaunching, done, or rolled-back and failed with the reason.
flanneld is started at most three times. What its log says between two starts names the cause.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$NetworkType,
    [string]$ExternalNetworkFile = '',
    [int]$AttemptSeconds = 120,
    [int]$Attempts = 3
)
$ErrorActionPreference = 'Stop'
$folder = 'C:\k8swin\jobs\pod-network'
$log = 'C:\var\log\flanneld\flanneld.log'
$saved = $null
# uses: Save-JobStatus Get-AdapterConfiguration

function Write-Status([string]$State, [string]$Detail) {
    $status = [ordered]@{ state = $State; detail = $Detail }
    Save-JobStatus $folder $status
    Add-Content -Path "$folder\log.txt" -Value "$($status.time) ${State}: $Detail" -Encoding ASCII
}

function Get-NodeAddress {
    @(Get-NetIPAddress -AddressFamily IPv4 -ErrorAction SilentlyContinue | Where-Object { $_.IPAddress -eq $NodeAddress })
}

# The address is in place when an adapter that is up holds it.
function Test-Address {
    foreach ($address in Get-NodeAddress) {
        $adapter = Get-NetAdapter -ErrorAction SilentlyContinue | Where-Object { $_.ifIndex -eq $address.InterfaceIndex }
        if ($adapter -and $adapter.Status -eq 'Up') { return $true }
    }
    $false
}

# What the adapter has now is newer than what was saved when the folders were made.
function Save-Configuration {
    $address = Get-NodeAddress | Select-Object -First 1
    if (-not $address -or $address.InterfaceAlias -like 'vEthernet*') { return }
    $found = Get-AdapterConfiguration $address
    Set-Content -Path 'C:\k8swin\network.new' -Value ($found | ConvertTo-Json) -Encoding ASCII
    Move-Item -Path 'C:\k8swin\network.new' -Destination 'C:\k8swin\network.json' -Force
}

# The adapter that carries the node's address: the virtual switch's once there is one, else the card itself.
function Get-Carrier {
    $switch = Get-NetAdapter | Where-Object { $_.Name -like 'vEthernet*' -and $_.MacAddress -eq $saved.mac -and $_.Status -eq 'Up' } | Select-Object -First 1
    if ($switch) { return $switch.Name }
    $saved.alias
}

function Restore-Address {
    $alias = Get-Carrier
    Write-Status 'restoring' "giving $NodeAddress back to $alias"
    if ($saved.dhcp -eq 'Enabled') {
        Set-NetIPInterface -InterfaceAlias $alias -AddressFamily IPv4 -Dhcp Enabled
        & ipconfig.exe /renew $alias | Out-Null
        return
    }
    Set-NetIPInterface -InterfaceAlias $alias -AddressFamily IPv4 -Dhcp Disabled
    if (-not (Get-NodeAddress)) {
        New-NetIPAddress -InterfaceAlias $alias -IPAddress $saved.address -PrefixLength $saved.prefixLength | Out-Null
    }
}

# The gateway and the DNS servers are lost more often than the address.
function Restore-Rest {
    $address = Get-NodeAddress | Select-Object -First 1
    if (-not $address -or $saved.dhcp -eq 'Enabled') { return }
    $alias = $address.InterfaceAlias
    $index = $address.InterfaceIndex
    if ($saved.gateway) {
        $route = @(Get-NetRoute -AddressFamily IPv4 -DestinationPrefix '0.0.0.0/0' -ErrorAction SilentlyContinue |
            Where-Object { $_.InterfaceIndex -eq $index -and $_.NextHop -eq $saved.gateway })
        if (-not $route) {
            Write-Status 'restoring' "giving the gateway $($saved.gateway) back to $alias"
            New-NetRoute -DestinationPrefix '0.0.0.0/0' -InterfaceAlias $alias -NextHop $saved.gateway | Out-Null
        }
    }
    $wanted = @($saved.dns | Where-Object { $_ })
    $dns = Get-DnsClientServerAddress -AddressFamily IPv4 | Where-Object { $_.InterfaceIndex -eq $index }
    if ($wanted -and (@($dns.ServerAddresses) -join ' ') -ne ($wanted -join ' ')) {
        Write-Status 'restoring' "giving the DNS servers $($wanted -join ' ') back to $alias"
        Set-DnsClientServerAddress -InterfaceAlias $alias -ServerAddresses $wanted
    }
}

# What flanneld wrote since its last start, and which of the known causes that is.
function Get-Cause([int]$Offset) {
    if (-not (Test-Path $log)) { return 'flanneld wrote no log' }
    $text = [string](Get-Content -Path $log -Raw)
    # It is shorter than before when it was rotated.
    if ($text.Length -ge $Offset) { $text = $text.Substring($Offset) }
    $causes = [ordered]@{
        'failed to get management IP|failed to get net interface'       = 'the adapter did not come back in time for flanneld'
        'pod cidr not assigned'                                         = 'the control plane has given this node no pod network'
        '0x803b0010|network with this name already exists'              = 'a network of an earlier run is still there'
        'already attached to the switch|object already exists|hot attach' = 'an endpoint of an earlier run is still there'
        'adapter was not found|0x803b0006'                              = 'another virtual switch holds the adapter'
        'failed to find interface|Failed to find any valid interface'   = "no interface has the address $NodeAddress"
        'no cached connection'                                          = 'the connection to the API server did not survive the change of the network'
        'Unauthorized|Forbidden|forbidden'                              = 'the API server does not accept the credentials of flanneld'
        'connection refused|i/o timeout|no route to host|connectex'     = 'flanneld does not reach the API server'
        'flag provided but not defined|error parsing subnet config'     = 'flanneld does not understand its configuration'
    }
    foreach ($pattern in $causes.Keys) { if ($text -match $pattern) { return $causes[$pattern] } }
    $last = @($text -split "`n" | Where-Object { $_.Trim() }) | Select-Object -Last 1
    if ($last) { return "flanneld says: $("$last".Trim())" }
    'flanneld wrote nothing'
}

function Test-Network {
    $network = @(Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork })
    if ($network.Count -ne 1 -or -not $network[0].ManagementIP) { return $false }
    if (-not (Test-Path 'C:\run\flannel\subnet.env')) { return $false }
    if ((Get-Service -Name flanneld).Status -ne 'Running') { return $false }
    if ($NetworkType -ne 'L2Bridge') { return $true }
    @(Get-HnsEndpoint | Where-Object { $_.Name -eq "${HnsNetwork}_ep" }).Count -eq 1
}

# Waits until the network is there and the address too; gives the address back when it stays away.
function Wait-Network([int]$Attempt) {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $lost = 0
    while ($watch.Elapsed.TotalSeconds -lt $AttemptSeconds) {
        $address = Test-Address
        $ready = Test-Network
        if ($ready -and $address) { return $true }
        if ($address) { $lost = 0 } else { $lost++ }
        if ($lost -ge 10) {
            # A lease comes back by itself within seconds; what is still missing now stays missing.
            try { Restore-Address; Restore-Rest } catch { Write-Status 'restoring' "not yet: $($_.Exception.Message)" }
            $lost = 0
        }
        Write-Status 'waiting' "start $Attempt of $Attempts, $([int]$watch.Elapsed.TotalSeconds) s: network ready: $ready, address in place: $address"
        Start-Sleep -Seconds 2
    }
    $false
}

function Remove-StaleEndpoint {
    # Left over, it cannot be attached again, and flanneld gives up.
    Get-HnsEndpoint | Where-Object { $_.Name -eq "${HnsNetwork}_ep" } | Remove-HnsEndpoint
}

function New-Placeholder {
    $wanted = Get-Content -Path $ExternalNetworkFile -Raw
    $name = (ConvertFrom-Json $wanted).Name
    if (@(Get-HnsNetwork | Where-Object { $_.Name -eq $name })) { return }
    Write-Status 'waiting' "making the virtual switch with the network $name"
    if (-not (Get-Command -Name New-HnsNetwork -ErrorAction SilentlyContinue)) {
        # Windows' own module looks and removes; what makes a network is in the pinned one.
        Import-Module -Name C:\k\hns.psm1 -DisableNameChecking
    }
    New-HnsNetwork -JsonString $wanted | Out-Null
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (Test-Address) -and $watch.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Seconds 2 }
    if (-not (Test-Address)) { Restore-Address }
}

function Undo-Network {
    Stop-Service -Name flanneld -Force
    Remove-StaleEndpoint
    Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork -or ($ExternalNetworkFile -and $_.Name -eq 'External') } | Remove-HnsNetwork
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (Test-Address) -and $watch.Elapsed.TotalSeconds -lt 20) { Start-Sleep -Seconds 2 }
    if (Test-Address) { return }
    try { Restore-Address } catch { Write-Status 'restoring' "not yet: $($_.Exception.Message)" }
    Start-Sleep -Seconds 5
    if (Test-Address) { return }
    # The last resort: the host network service lets go of the adapter.
    Restart-Service -Name hns -Force
    Start-Sleep -Seconds 10
    if (-not (Test-Address)) { Restore-Address }
}

try {
    Write-Status 'started' 'looking at the network configuration'
    Save-Configuration
    $saved = Get-Content -Path 'C:\k8swin\network.json' -Raw | ConvertFrom-Json
    if ($ExternalNetworkFile) { New-Placeholder }
    $up = $false
    $cause = ''
    $all = [System.Diagnostics.Stopwatch]::StartNew()
    for ($attempt = 1; $attempt -le $Attempts -and -not $up; $attempt++) {
        if ($attempt -gt 1) { Write-Status 'relaunching' "start $attempt of ${Attempts}: $cause" }
        if ((Get-Service -Name flanneld).Status -ne 'Stopped') { Stop-Service -Name flanneld -Force }
        Remove-StaleEndpoint
        if ($attempt -eq $Attempts -and $attempt -gt 1 -and -not @(Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork })) {
            Restart-Service -Name hns -Force
            Start-Sleep -Seconds 5
        }
        $offset = 0
        if (Test-Path $log) { $offset = ([string](Get-Content -Path $log -Raw)).Length }
        Start-Service -Name flanneld
        $up = Wait-Network $attempt
        if (-not $up) { $cause = Get-Cause $offset }
    }
    if (-not $up) { throw "no HNS network $HnsNetwork with the address $NodeAddress after $Attempts starts of flanneld: $cause; see $log" }
    Restore-Rest
    $times = ''
    if ($attempt -gt 2) { $times = ", at start $($attempt - 1) of flanneld (before: $cause)" }
    Write-Status 'done' "the HNS network $HnsNetwork is up after $([int]$all.Elapsed.TotalSeconds) s$times"
} catch {
    $reason = $_.Exception.Message
    try {
        Undo-Network
        if ($saved) { Restore-Rest }
        Write-Status 'rolled-back' $reason
    } catch {
        Write-Status 'failed' "$reason; and the network could not be put back: $($_.Exception.Message)"
    }
    exit 1
}
