<#
.SYNOPSIS
Start flanneld, wait for its HNS network, and give the worker its address back if Windows loses it.
.DESCRIPTION
Runs as a task of the system's, since it cuts the network under its own starter. Every stage is written to
status.json: started, waiting, restoring, relaunching, done, or rolled-back and failed with the reason.
flanneld is started at most three times. What its log says between two starts names the cause. While the adapter is
bound anew, HNS and Windows' own commands fail in passing: nothing but the end of the last wait rolls anything back.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$NetworkType,
    [string]$NodePodCidr = '',
    [string]$ExternalNetworkFile = '',
    [int]$AttemptSeconds = 120,
    [int]$Attempts = 3
)
$ErrorActionPreference = 'Stop'
$folder = 'C:\k8swin\jobs\pod-network'
$log = 'C:\var\log\flanneld\flanneld.log'
# uses: Get-AdapterConfiguration Get-SavedAdapter Read-Json Restart-WrappedService Restore-NodeAddress Restore-NodeRest Save-JobStatus Save-Text Start-WrappedService Stop-WindowsService Test-HoldsAdapter Test-HoldsNode Wait-Hns

function Write-Status([string]$State, [string]$Detail) {
    $status = [ordered]@{ state = $State; detail = $Detail }
    Save-JobStatus $folder $status
    try { [System.IO.File]::AppendAllText("$folder\log.txt", "$($status.time) ${State}: $Detail`r`n") } catch { return }
}

# What fails here is told, and the wait that follows finds out whether it matters.
function Invoke-Part([string]$PartTitle, [scriptblock]$PartBody) {
    try { & $PartBody } catch { Write-Status 'waiting' "${PartTitle}: $($_.Exception.Message)" }
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
    Save-Text 'C:\k8swin\network.json' (Get-AdapterConfiguration $address | ConvertTo-Json)
}

function Restore-Address {
    Write-Status 'restoring' "giving $NodeAddress back"
    Restore-NodeAddress $saved
}

function Restore-Rest {
    Restore-NodeRest $saved | ForEach-Object { Write-Status 'restoring' $_ }
}

# What flanneld wrote since its last start, and which of the known causes that is.
function Get-Cause([int]$Offset) {
    if (-not (Test-Path $log)) { return 'flanneld wrote no log' }
    try { $text = Get-Log } catch { return "its log cannot be read: $($_.Exception.Message)" }
    # It is shorter than before when it was rotated.
    if ($text.Length -ge $Offset) { $text = $text.Substring($Offset) }
    $causes = [ordered]@{
        'no interfaces found in netsh output'                           = 'this flanneld reads the words of an English netsh, and Windows speaks another language'
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

# nssm has it open; what programs write is UTF-8.
function Get-Log {
    if (-not (Test-Path $log)) { return '' }
    [string](Get-Content -LiteralPath $log -Raw -Encoding UTF8)
}

# Why the network is not up; empty when it is.
function Get-Missing {
    $network = @(Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork })
    if ($network.Count -ne 1) { return "there are $($network.Count) HNS networks $HnsNetwork" }
    if (-not $network[0].ManagementIP) { return "$HnsNetwork has no management address yet" }
    if (-not (Test-HoldsNode $network[0] $NodeAddress)) { return "$HnsNetwork holds the adapter with $($network[0].ManagementIP)" }
    if (-not (Test-Path 'C:\run\flannel\subnet.env')) { return 'flanneld has not written subnet.env' }
    $state = [string](Get-Service -Name flanneld).Status
    if ($state -ne 'Running') { return "flanneld is $state" }
    if ($NetworkType -eq 'L2Bridge' -and @(Get-HnsEndpoint | Where-Object { $_.Name -eq "${HnsNetwork}_ep" }).Count -ne 1) {
        return "there is no endpoint ${HnsNetwork}_ep"
    }
    ''
}

# The address of the other card that HNS has taken; none while it may yet name the node's.
function Get-OtherCard {
    $held = [string]@(Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork })[0].ManagementIP
    $own = @(Get-NodeAddress)
    if (-not $own) { return }
    Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $held -and $_.InterfaceIndex -ne $own[0].InterfaceIndex } | Select-Object -First 1 | ForEach-Object { $_.IPAddress }
}

function Test-OtherCard {
    try { [bool](Get-OtherCard) } catch { $false }
}

# Waits until the network is there and the address too; gives the address back when it stays away. A look that fails is no
# answer: HNS and Windows' own commands refuse some while the adapter is bound anew.
function Wait-Network([int]$Attempt) {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $lost = 0
    $other = 0
    while ($watch.Elapsed.TotalSeconds -lt $AttemptSeconds) {
        $address = $true
        $missing = ''
        try {
            $address = Test-Address
            $missing = Get-Missing
        } catch {
            $missing = "not to be found out: $($_.Exception.Message)"
        }
        if ($address -and -not $missing) { return $true }
        if ($address) { $lost = 0 } else { $lost++ }
        if ($address -and (Test-OtherCard)) { $other++ } else { $other = 0 }
        # No wait gives it another card.
        if ($other -ge 5) { return $false }
        if ($lost -ge 10) {
            # A lease comes back by itself within seconds; what is still missing now stays missing.
            Invoke-Part 'the address is not back yet' { Restore-Address; Restore-Rest }
            $lost = 0
        }
        if (-not $address) { $missing = "$NodeAddress is on no adapter that is up; $missing" }
        Write-Status 'waiting' "start $Attempt of $Attempts, $([int]$watch.Elapsed.TotalSeconds) s: $missing"
        Start-Sleep -Seconds 2
    }
    $false
}

# Left over, it cannot be attached again, and flanneld gives up.
function Remove-StaleEndpoint {
    Wait-Hns { Get-HnsEndpoint | Where-Object { $_.Name -eq "${HnsNetwork}_ep" } | Remove-HnsEndpoint } 15
}

function Wait-Address {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (Test-Address) -and $watch.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Seconds 2 }
    if (-not (Test-Address)) { Restore-Address }
}

# Windows' own module looks and removes; what makes a network is in the pinned one.
function Import-Hns {
    if (Get-Command -Name New-HnsNetwork -ErrorAction SilentlyContinue) { return $true }
    if (-not (Test-Path 'C:\k\hns.psm1')) { return $false }
    Import-Module -Name C:\k\hns.psm1 -DisableNameChecking
    $true
}

# Can the network be made anew on the node's own card?
function Test-CanName {
    $NetworkType -eq 'L2Bridge' -and [bool](Invoke-Part 'hns.psm1 is not to be loaded' { Import-Hns })
}

# HNS takes some card of the server unless it is told which.
function New-Network($Wanted) {
    if (-not (Import-Hns)) { return }
    $card = Get-SavedAdapter $saved
    if ($card) { $Wanted | Add-Member -NotePropertyName NetworkAdapterName -NotePropertyValue $card.Name -Force }
    Write-Status 'waiting' "making the HNS network $($Wanted.Name) on $($card.Name)"
    New-HnsNetwork -JsonString ($Wanted | ConvertTo-Json -Depth 6 -Compress) | Out-Null
    Wait-Address
    # Before flanneld has routes over this adapter.
    Restore-Rest
}

function New-Placeholder {
    if (-not $ExternalNetworkFile) { return }
    $wanted = Read-Json $ExternalNetworkFile
    if (@(Wait-Hns { Get-HnsNetwork } 15 | Where-Object { $_.Name -eq $wanted.Name })) { return }
    New-Network $wanted
}

# flanneld names no card for its bridge, and goes on with one that has the prefix and the gateway that it wants.
function New-Bridge {
    $subnet = ([regex]'^(\d+\.\d+\.\d+)\.0/24$').Match($NodePodCidr)
    if ($NetworkType -ne 'L2Bridge' -or -not $subnet.Success) { return }
    if (@(Wait-Hns { Get-HnsNetwork } 15 | Where-Object { $_.Name -eq $HnsNetwork })) { return }
    New-Network ([pscustomobject]@{
        Name    = $HnsNetwork
        Type    = 'L2Bridge'
        Subnets = @(@{ AddressPrefix = $NodePodCidr; GatewayAddress = "$($subnet.Groups[1].Value).1" })
    })
}

# One that holds another card, or another pod network than the node's, is of no use to flanneld.
function Remove-StaleNetwork {
    foreach ($network in @(Wait-Hns { Get-HnsNetwork } 15 | Where-Object { $_.Name -eq $HnsNetwork })) {
        $prefix = [string]@($network.Subnets)[0].AddressPrefix
        $elsewhere = $network.ManagementIP -and -not (Test-HoldsNode $network $NodeAddress)
        if (-not $elsewhere -and (-not $NodePodCidr -or $prefix -eq $NodePodCidr)) { continue }
        Write-Status 'waiting' "removing the HNS network $HnsNetwork with $prefix on the adapter with $($network.ManagementIP)"
        # Looked for anew: a removal whose answer was lost has been done.
        Wait-Hns { Get-HnsNetwork | Where-Object { $_.ID -eq $network.ID } | Remove-HnsNetwork } 15
        Wait-Address
    }
}

# The adapter was bound anew, which ended its connections. A kubelet before 1.20 does not ask whether its own still lives.
function Restart-EarlyKubelet {
    $kubelet = Get-Service -Name kubelet -ErrorAction SilentlyContinue
    if (-not $kubelet -or $kubelet.Status -eq 'Stopped' -or -not (Test-Path 'C:\k\kubelet.exe')) { return }
    $version = ([regex]' v1\.(\d+)\.').Match([string](& C:\k\kubelet.exe --version))
    if (-not $version.Success -or [int]$version.Groups[1].Value -ge 20) { return }
    Restart-WrappedService kubelet
    foreach ($look in 1..15) {
        if ((Get-Service -Name kubelet).Status -eq 'Running') { return }
        Start-Sleep -Seconds 2
    }
}

function Undo-Network {
    Invoke-Part 'flanneld does not stop' { Stop-WindowsService flanneld }
    Invoke-Part 'the endpoint stays' { Remove-StaleEndpoint }
    Invoke-Part 'the network stays' {
        Wait-Hns {
            Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork -or ($ExternalNetworkFile -and $_.Name -eq 'External') } | Remove-HnsNetwork
        } 15
    }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (Test-Address) -and $watch.Elapsed.TotalSeconds -lt 20) { Start-Sleep -Seconds 2 }
    if (Test-Address) { return }
    Invoke-Part 'the address is not back yet' { Restore-Address }
    Start-Sleep -Seconds 5
    if (Test-Address) { return }
    # The last resort: the host network service lets go of the adapter.
    Invoke-Part 'hns does not start anew' { Restart-Service -Name hns -Force }
    Start-Sleep -Seconds 10
    if (-not (Test-Address)) { Restore-Address }
}

try {
    Write-Status 'started' 'looking at the network configuration'
    Save-Configuration
    $saved = Read-Json 'C:\k8swin\network.json'
} catch {
    Write-Status 'failed' "the network configuration is not known, and nothing was changed: $($_.Exception.Message)"
    exit 1
}
$up = $false
$cause = ''
$before = @(Invoke-Part 'the services are not known' {
    Get-Service -Name flanneld -DependentServices | Where-Object { $_.Status -ne 'Stopped' } | ForEach-Object { $_.Name }
})
$bound = @(Invoke-Part 'the networks are not known' { Wait-Hns { Get-HnsNetwork } 15 | Where-Object { Test-HoldsAdapter $_ } })
$all = [System.Diagnostics.Stopwatch]::StartNew()
for ($attempt = 1; $attempt -le $Attempts -and -not $up; $attempt++) {
    if ($attempt -gt 1) { Write-Status 'relaunching' "start $attempt of ${Attempts}: $cause" }
    Invoke-Part 'flanneld does not stop' { Stop-WindowsService flanneld }
    Invoke-Part 'the endpoint stays' { Remove-StaleEndpoint }
    Invoke-Part 'the network stays' { Remove-StaleNetwork }
    if ($attempt -eq $Attempts -and $attempt -gt 1) {
        Invoke-Part 'hns does not start anew' {
            if (-not @(Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork })) {
                Restart-Service -Name hns -Force
                Start-Sleep -Seconds 5
            }
        }
    }
    Invoke-Part 'no placeholder' { New-Placeholder }
    Invoke-Part 'no bridge was made' { New-Bridge }
    $offset = [int](Invoke-Part 'the log is not to be read' { (Get-Log).Length })
    $refused = ''
    try { Start-WrappedService flanneld } catch { $refused = $_.Exception.Message }
    $up = Wait-Network $attempt
    if (-not $up) {
        $cause = Get-Cause $offset
        if ($refused) { $cause = "$refused $cause" }
        $other = [string](Invoke-Part 'the card is not known' { Get-OtherCard })
        if ($other) {
            $cause = "HNS has taken the card with $other for it"
            if (-not (Test-CanName)) {
                $cause += ', and nothing tells it which to take: name hns.psm1 in the lock of the artifacts, or disconnect that card'
                break
            }
        }
    }
}
if (-not $up) {
    $starts = [Math]::Min($attempt, $Attempts)
    $reason = "no HNS network $HnsNetwork with the address $NodeAddress after $starts starts of flanneld: $cause; see $log"
    try {
        Undo-Network
        Restore-Rest
        Write-Status 'rolled-back' $reason
    } catch {
        Write-Status 'failed' "$reason; and the network could not be put back: $($_.Exception.Message)"
    }
    exit 1
}
Invoke-Part 'the gateway or the DNS servers are not back' { Restore-Rest }
# What flanneld's stop took down with it.
foreach ($name in $before) { Invoke-Part "$name does not start" { Start-WrappedService $name } }
if (-not $bound) { Invoke-Part 'the kubelet does not start anew' { Restart-EarlyKubelet } }
$times = ''
if ($attempt -gt 2) { $times = ", at start $($attempt - 1) of flanneld (before: $cause)" }
Write-Status 'done' "the HNS network $HnsNetwork is up after $([int]$all.Elapsed.TotalSeconds) s$times"
