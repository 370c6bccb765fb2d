<#
.SYNOPSIS
Look at what Kubernetes needs of this server before anything is changed.
.DESCRIPTION
One line a check, tab-separated: check, id, name, severity, ok or no, found, wanted, what to do. Severity is what
it means when it does not hold: fail stops, warn is told, step is what a later step brings about, info never
matters. Lines that begin with `fact` are compared between hosts and with the plan.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeName,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [Parameter(Mandatory = $true)][string]$SupportedBuilds,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [string]$FlannelBackend = '',
    [string]$ClusterProfile = 'current',
    [string]$ClusterCa = '',
    [string]$DownloadHosts = '',
    [string]$FirewallRules = '',
    [string]$WinrmPort = '',
    [string]$MasterAddress = '',
    [string]$ApiExpected = 'true',
    [string]$ControlPlaneAddress = '',
    [string]$EarlyFlannel = '',
    [string]$CardUnnamed = '',
    [string]$WindowsUpdate = '',
    [string]$Folders = '',
    [string]$CniFolder = '',
    [string]$CniFile = ''
)
$ErrorActionPreference = 'Stop'
# uses: Get-AuthorityIn Get-ClosedNetwork Get-CurlReason Get-ForeignRuntime Get-KubeletIdentity Get-PendingReboot Get-WinrmClient Get-WinrmPort Invoke-Curl Read-Kubeconfig Test-HoldsAdapter Test-HoldsNode Wait-Hns

function Get-Clock { [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() / 1000 }

function Get-Plain([string]$Text) { ($Text -replace '\s+', ' ').Trim() }

function Write-Fact([string]$Name, [string]$Value) { "fact`t$Name`t$(Get-Plain $Value)" }

function New-Answer([string]$Severity, [bool]$Holds, [string]$Found, [string]$Wanted, [string]$Fix) {
    $state = 'no'
    if ($Holds) { $state = 'ok' }
    $text = Get-Plain $Found
    if (-not $text) { $text = 'none' }
    $Severity, $state, $text, $Wanted, $Fix -join "`t"
}

# A probe that breaks off is one finding, and the others still run.
function Test-Probe([string]$CheckId, [string]$CheckName, [scriptblock]$Probe) {
    try {
        $answer = & $Probe
    } catch {
        $answer = New-Answer 'warn' $false "could not be found out: $($_.Exception.Message)" 'an answer' 'look at it on the server'
    }
    "check`t$CheckId`t$CheckName`t$answer"
}

function Get-FactOf([string]$FactName, [scriptblock]$Probe) {
    try { Write-Fact $FactName ([string](& $Probe)) } catch { Write-Fact $FactName '' }
}

# What several probes read; they say so themselves when it is not there.
function Get-Quiet([scriptblock]$Probe) {
    try { & $Probe } catch { $null }
}

function Test-Port([string]$Address, [int]$Port) {
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        $attempt = $client.BeginConnect($Address, $Port, $null, $null)
        $attempt.AsyncWaitHandle.WaitOne(5000) -and $client.Connected
    } catch {
        $false
    } finally {
        $client.Close()
    }
}

Write-Fact 'clock_first' (Get-Clock).ToString([Globalization.CultureInfo]::InvariantCulture)
$owned = Test-Path 'C:\k8swin\owned'
$joined = Test-Path 'C:\etc\kubernetes\kubelet.conf'

Test-Probe 'W01' 'administrator' {
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object System.Security.Principal.WindowsPrincipal($identity)
    $elevated = $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
    New-Answer 'fail' $elevated $identity.Name 'an elevated administrator' 'use the built-in Administrator or a domain administrator, or set LocalAccountTokenFilterPolicy to 1, and FilterAdministratorToken to 0 for the built-in one'
}

$version = Get-Quiet { Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' }
$build = [int]$version.CurrentBuildNumber
Test-Probe 'W02' 'build' {
    $fix = 'use Windows Server 2019, 2022 or 2025 as this Kubernetes version supports it'
    if ($build -lt 17763) { $fix = 'Windows Server 2016 and older have no network that Kubernetes can use: install Windows Server 2019 or newer' }
    New-Answer 'fail' (($SupportedBuilds -split ',') -contains [string]$build) "$($version.ProductName) $build.$($version.UBR)" "one of $SupportedBuilds" $fix
}
Test-Probe 'W02' 'server' {
    New-Answer 'fail' ($version.InstallationType -like 'Server*') $version.InstallationType 'Server or Server Core' 'use Windows Server'
}
Test-Probe 'W03' 'updates' {
    $least = 0
    $why = ''
    if ($build -eq 17763) { $least = 1554; $why = ' (KB4580390, direct server return)' }
    $severity = 'warn'
    if ($build -eq 17763 -and $FlannelBackend -eq 'vxlan' -and $version.UBR -lt 379) {
        $severity = 'fail'
        $least = 379
        $why = ' (KB4489899, without it there is no vxlan)'
    }
    New-Answer $severity ($version.UBR -ge $least) "$build.$($version.UBR)" "$build.$least or newer$why" 'install the current cumulative update'
}
Test-Probe 'W03' 'container-network' {
    # microsoft/Windows-Containers#516: pods reach nothing from the update of July 2024 to that of October 2024.
    $broken = $build -eq 20348 -and $version.UBR -ge 2582 -and $version.UBR -lt 2762
    New-Answer 'warn' (-not $broken) "$build.$($version.UBR)" 'no update that broke the network of containers: 20348.2582 (KB5040437) and newer, before 20348.2762 (KB5044281)' 'install the current cumulative update'
}
Test-Probe 'W04' 'powershell' {
    New-Answer 'fail' ($PSVersionTable.PSVersion -ge [version]'5.1') ([string]$PSVersionTable.PSVersion) '5.1 or newer' 'install Windows Management Framework 5.1'
}
Test-Probe 'W04' 'execution-policy' {
    # Only a group policy outranks the Bypass with which jobs are started: a policy that is switched off has no name.
    $policy = 'none'
    $key = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell'
    if (Test-Path $key) {
        $set = Get-ItemProperty -Path $key
        if ($set -and $set.PSObject.Properties['ExecutionPolicy']) { $policy = $set.ExecutionPolicy }
        if ($set -and $set.PSObject.Properties['EnableScripts'] -and [int]$set.EnableScripts -eq 0) { $policy = 'no scripts at all (EnableScripts 0)' }
    }
    New-Answer 'fail' (@('none', 'Bypass', 'Unrestricted', 'RemoteSigned') -contains $policy) $policy 'no group policy that refuses local scripts' 'take this server out of the policy'
}
Test-Probe 'W04' 'module-logging' {
    # Event 4103 holds what each command of such a module is given, and one of them is given a step's values with its secrets.
    $key = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell\ModuleLogging'
    $logged = @()
    if ((Test-Path "$key\ModuleNames") -and [string](Get-ItemProperty -Path $key).EnableModuleLogging -eq '1') {
        $logged = @((Get-Item -Path "$key\ModuleNames").Property | Where-Object { $_ -and 'Microsoft.PowerShell.Utility' -like $_ })
    }
    New-Answer 'warn' ($logged.Count -eq 0) ($logged -join ', ') 'no policy that logs the module Microsoft.PowerShell.Utility' 'passwords and tokens that steps bring here come to stand in the event log Microsoft-Windows-PowerShell/Operational: take the module out of the policy, or turn Protected Event Logging on'
}
Test-Probe 'W05' 'tls' {
    $protocols = [string][System.Net.ServicePointManager]::SecurityProtocol
    New-Answer 'warn' ($protocols -match 'SystemDefault|Tls12|Tls13') $protocols 'SystemDefault or Tls12' 'set SchUseStrongCrypto to 1 for .NET'
}
Test-Probe 'W06' 'tools' {
    $missing = @('tar.exe', 'curl.exe' | Where-Object { -not (Test-Path "$env:SystemRoot\System32\$_") })
    $found = 'all there'
    if ($missing) { $found = "missing: $($missing -join ' ')" }
    New-Answer 'warn' ($missing.Count -eq 0) $found 'tar.exe and curl.exe there' 'use Windows Server 2019 or newer, which brings them'
}

$system = Get-Quiet { Get-CimInstance -ClassName Win32_ComputerSystem }
Test-Probe 'W07' 'memory' {
    if (-not $system) { throw 'WMI gives no Win32_ComputerSystem' }
    $memory = [Math]::Floor($system.TotalPhysicalMemory / 1MB)
    New-Answer 'warn' ($memory -ge 3900) "$memory MiB" '4096 MiB or more' 'give the machine more memory'
}
Test-Probe 'W07' 'cpus' {
    if (-not $system) { throw 'WMI gives no Win32_ComputerSystem' }
    New-Answer 'warn' ($system.NumberOfLogicalProcessors -ge 2) ([string]$system.NumberOfLogicalProcessors) '2 or more' 'give the machine a second CPU'
}
Test-Probe 'W08' 'disk' {
    $disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'"
    $free = [Math]::Floor($disk.FreeSpace / 1GB)
    # Where less than 15 % of the disk with the images is free, the kubelet removes images and then pods.
    $limit = [Math]::Ceiling($disk.Size * 0.15 / 1GB)
    # A worker that has joined holds its images already.
    $severity = 'fail'
    $wanted = $limit + 20
    if ($joined) {
        $severity = 'warn'
        $wanted = $limit
    }
    New-Answer $severity ($free -ge $wanted) "$free of $([Math]::Floor($disk.Size / 1GB)) GiB free on C:" "$wanted GiB: the kubelet removes images and pods when less than 15 % of the disk is free" 'images take several GiB each: free or add disk space'
}
Test-Probe 'W08' 'places' {
    # A file with a folder's name, at the folder itself or above it, and a folder with a file's name.
    $blocked = @()
    foreach ($folder in $Folders -split ';' | Where-Object { $_ }) {
        $place = $folder
        while ($place -match '\\.') {
            if (Test-Path -LiteralPath $place -PathType Leaf) { $blocked += "$place (a file)" }
            $place = $place -replace '\\[^\\]*$', ''
        }
    }
    if ($CniFile -and (Test-Path -LiteralPath "$CniFolder\$CniFile" -PathType Container)) { $blocked += "$CniFolder\$CniFile (a folder)" }
    # What is written in its place, and not moved there, has to be writable.
    $written = @($Folders -split ';' | Where-Object { $_ -like 'C:\etc\*' -and (Test-Path -LiteralPath $_ -PathType Container) } | ForEach-Object { Get-ChildItem -LiteralPath $_ -Recurse -Force -ErrorAction SilentlyContinue })
    if ($ControlPlaneAddress) { $written += @(Get-Item -LiteralPath "$env:SystemRoot\System32\drivers\etc\hosts" -Force -ErrorAction SilentlyContinue) }
    $blocked += @($written | Where-Object { $_ -and -not $_.PSIsContainer -and $_.IsReadOnly } | ForEach-Object { "$($_.FullName) (read-only)" })
    $blocked = @($blocked | Select-Object -Unique)
    New-Answer 'fail' ($blocked.Count -eq 0) ($blocked -join ', ') 'no file in the place of a folder, nor a folder in that of a file, and none read-only that is written to' 'move it away when nobody needs it; attrib -R for what is read-only'
}
Test-Probe 'W09' 'containers-feature' {
    $state = [string](Get-WindowsFeature -Name Containers).InstallState
    New-Answer 'step' ($state -eq 'Installed') $state 'Installed' 'the step containers installs it'
}
Test-Probe 'W10' 'virtualisation' {
    New-Answer 'info' $true "$($system.Manufacturer) $($system.Model)" 'any' '-'
}
Test-Probe 'W11' 'container-services' {
    $off = @()
    foreach ($name in 'vmcompute', 'hns') {
        $service = Get-Service -Name $name -ErrorAction SilentlyContinue
        if ($service -and [string]$service.StartType -eq 'Disabled') { $off += $name }
    }
    New-Answer 'fail' ($off.Count -eq 0) "disabled: $(@($off; if (-not $off) { 'none' }) -join ' ')" 'vmcompute and hns not disabled' 'Set-Service -StartupType Manual for them'
}
Test-Probe 'W11' 'windows-services' {
    # HNS writes firewall rules for each network, also where the firewall filters nothing; jobs are tasks; CIM commands ask WMI.
    $missing = @()
    foreach ($name in 'BFE', 'mpssvc', 'Schedule') {
        $state = [string](Get-Service -Name $name -ErrorAction SilentlyContinue).Status
        if ($state -ne 'Running') { $missing += $name }
    }
    # These start when somebody asks them, unless they are disabled.
    $asked = @('Winmgmt')
    if (-not (Get-Service -Name hns -ErrorAction SilentlyContinue)) { $asked += 'TrustedInstaller' }
    if ($WindowsUpdate -eq 'true') { $asked += 'wuauserv' }
    foreach ($name in $asked) {
        $service = Get-Service -Name $name -ErrorAction SilentlyContinue
        if (-not $service -or [string]$service.StartType -eq 'Disabled') { $missing += $name }
    }
    $found = 'none off'
    if ($missing) { $found = "off: $($missing -join ', ')" }
    New-Answer 'fail' ($missing.Count -eq 0) $found "BFE, mpssvc and Schedule running, $($asked -join ', ') not disabled" "turn on $($missing -join ', '): Start 2 under HKLM:\SYSTEM\CurrentControlSet\Services\NAME (3 for TrustedInstaller and wuauserv), or the group policy that turns it off; then reboot. To switch the firewall off, switch its profiles off and leave its services on"
}

$names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
$next = [string](Get-Quiet { (Get-ItemProperty -Path "$names\ComputerName").ComputerName })
Test-Probe 'W12' 'pending-reboot' {
    $pending = @(Get-PendingReboot)
    New-Answer 'step' ($pending.Count -eq 0) ($pending -join ', ') 'none' 'the step reboot does it'
}
Test-Probe 'W13' 'host-name' {
    $name = $next.ToLowerInvariant()
    $severity = 'step'
    $found = $name
    $fix = 'the step host-name renames this server and reboots it'
    if ($system -and $system.PartOfDomain) {
        # It would need an account that may change the domain, which nobody hands on to a server.
        $severity = 'fail'
        $found = "$name, of the domain $($system.Domain)"
        $fix = "have the domain rename it (Rename-Computer -NewName $NodeName -DomainCredential) and reboot it, or name it $name in the parameters"
    }
    New-Answer $severity ($name -eq $NodeName) $found $NodeName $fix
}
Write-Fact 'host_name' $next.ToLowerInvariant()

$addresses = @(Get-Quiet { Get-NetIPAddress -AddressFamily IPv4 } | Where-Object { $_ })
$owner = @($addresses | Where-Object { $_.IPAddress -eq $NodeAddress })
Write-Fact 'addresses' (@($addresses | ForEach-Object { $_.IPAddress }) -join ' ')
$adapter = $null
if ($owner.Count -eq 1) {
    $adapter = Get-Quiet { Get-NetAdapter | Where-Object { $_.ifIndex -eq $owner[0].InterfaceIndex } | Select-Object -First 1 }
}
Test-Probe 'W14' 'address' {
    if (-not $addresses) { throw 'Get-NetIPAddress gives no address' }
    $all = @($addresses | ForEach-Object { $_.IPAddress })
    New-Answer 'fail' ($owner.Count -eq 1) ($all -join ' ') "$NodeAddress on one interface" 'correct the address in the parameters'
}
if ($adapter) {
    Test-Probe 'W14' 'adapter' {
        $good = [string]$adapter.Status -eq 'Up' -and [string]$adapter.PhysicalMediaType -notlike '*802.11*'
        New-Answer 'fail' $good "$($adapter.Name): $($adapter.Status) $($adapter.PhysicalMediaType)" 'an adapter that is up, not a wireless one' 'connect the adapter, or use another one'
    }
}
if ($ClusterProfile -eq 'classic' -and $EarlyFlannel -ne 'false') {
    # flanneld 0.11 and 0.12 ask netsh for every address and look for these words, also with an address for --iface.
    Test-Probe 'W37' 'flannel-netsh' {
        $shown = & netsh.exe interface ipv4 show addresses | Out-String
        if ($LASTEXITCODE -ne 0) { throw "netsh.exe ended with $LASTEXITCODE" }
        $first = @($shown -split '\r?\n' | Where-Object { $_.Trim() })[0]
        New-Answer 'fail' ($shown -match 'Configuration for interface' -and $shown -match 'IP Address') "netsh says: $first" 'netsh says: Configuration for interface' 'an English Windows: flanneld 0.11 and 0.12 understand no other; or flannel_version 0.13.0 or newer'
    }
    if ($adapter) {
        Test-Probe 'W37' 'adapter-name' {
            # netsh writes names in the OEM code page, and in columns that two spaces end.
            $plain = $adapter.Name -match '^[\x21-\x7e]+( [\x21-\x7e]+)*$' -and $adapter.Name -notmatch '"'
            New-Answer 'fail' $plain $adapter.Name 'a name of ASCII letters, with single spaces' "Rename-NetAdapter on the console: flanneld 0.11 and 0.12 find no adapter of another name"
        }
    }
}
if ($owner.Count -eq 1) {
    Test-Probe 'W15' 'static-address' {
        $origin = [string]$owner[0].PrefixOrigin
        New-Answer 'warn' ($origin -ne 'Dhcp') $origin 'Manual' 'reserve the address at the DHCP server, or make it static'
    }
    Test-Probe 'W16' 'network-category' {
        $public = @(Get-NetConnectionProfile | Where-Object { [string]$_.NetworkCategory -eq 'Public' } | ForEach-Object { $_.InterfaceAlias })
        $rule = Get-NetFirewallRule -Name 'k8swin-winrm' -ErrorAction SilentlyContinue
        $found = 'none public'
        if ($public) { $found = "public: $($public -join ', ')" }
        New-Answer 'step' ($public.Count -eq 0 -or [bool]$rule) $found 'WinRM allowed on every network profile' 'the step firewall allows it'
    }
}

if ($FirewallRules) {
    Test-Probe 'W16' 'firewall-policy' {
        $closed = @()
        $rules = ConvertFrom-Json $FirewallRules
        foreach ($rule in $rules) {
            $clients = @($MasterAddress)
            if ($rule.name -eq 'k8swin-winrm') { $clients = @(Get-WinrmClient (Get-WinrmPort $WinrmPort)) }
            $closed += @(Get-ClosedNetwork $rule $NodeAddress $clients)
        }
        $found = 'open, or opened by the step firewall'
        if ($closed) { $found = "closed: $($closed -join '; ')" }
        New-Answer 'fail' ($closed.Count -eq 0) $found 'ports that the rules of the step firewall open' 'have the group policy bring rules that allow these ports, inbound, for all profiles, or have it apply local firewall rules; have a rule that blocks them spare the control plane and this computer: the network counts as public while the virtual switch takes it over'
    }
}

$networks = @()
if (Get-Command -Name Get-HnsNetwork -ErrorAction SilentlyContinue) {
    $networks = @(Get-Quiet { Wait-Hns { Get-HnsNetwork } 20 } | Where-Object { $_ })
}
# HNS takes a card by chance unless it is told which one.
$cards = @(Get-Quiet { Get-NetAdapter } | Where-Object { $_ -and [string]$_.Status -eq 'Up' -and $_.Name -notlike 'vEthernet*' })
if ($adapter -and $cards.Count -gt 1) {
    Test-Probe 'W14' 'other-adapters' {
        $found = @($cards | Where-Object { $_.ifIndex -ne $adapter.ifIndex -and ($_.MacAddress -ne $adapter.MacAddress) } | ForEach-Object { $_.Name })
        $severity = 'warn'
        $fix = "the pod network is made on the adapter with ${NodeAddress}; disconnect the others, or see to it that no other has a default route"
        if ($CardUnnamed -and -not @($networks | Where-Object { $_.Name -eq $HnsNetwork -and (Test-HoldsNode $_ $NodeAddress) })) {
            $severity = 'fail'
            $fix = "nothing tells HNS which adapter the pod network is for: $CardUnnamed, or disconnect the others"
        }
        New-Answer $severity ($found.Count -eq 0) ($found -join ', ') "no adapter that is up beside the one with $NodeAddress" $fix
    }
}
Test-Probe 'W17' 'hns-networks' {
    $known = @('nat', $HnsNetwork)
    if ($ClusterProfile -eq 'classic') { $known += 'External' }
    # NAT, ICS (as that of WSL) and internal networks have switches of their own.
    $others = @($networks | Where-Object { $known -notcontains $_.Name -and (Test-HoldsAdapter $_) } | ForEach-Object { $_.Name })
    New-Answer 'fail' ($others.Count -eq 0) ($others -join ' ') "only $($known -join ', ')" 'they hold the adapter: remove them with Remove-HnsNetwork when nobody needs them'
}
$inner = @($networks | Where-Object { -not (Test-HoldsAdapter $_) })
if ($inner) { Get-FactOf 'hns_nat' { @($inner | ForEach-Object { $_.Subnets } | ForEach-Object { $_.AddressPrefix } | Where-Object { $_ }) -join ' ' } }
try {
    Get-NetRoute -AddressFamily IPv4 | ForEach-Object {
        # A network and its interface; an interface's alias may hold spaces, so it is the last.
        if ($_.DestinationPrefix -ne '0.0.0.0/0') { Write-Fact 'route' "$($_.DestinationPrefix) $($_.NextHop) $($_.InterfaceAlias)" }
    }
} catch {
    "check`tW18`troutes`t$(New-Answer 'warn' $false "could not be found out: $($_.Exception.Message)" 'an answer' 'Get-NetRoute')"
}

Test-Probe 'W20' 'ports' {
    $busy = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue | Where-Object { $_.LocalPort -eq 10250 -or $_.LocalPort -eq 10256 } | ForEach-Object { $_.LocalPort } | Select-Object -Unique)
    if ($owned) { $busy = @() }
    New-Answer 'fail' ($busy.Count -eq 0) "in use: $(@($busy; if (-not $busy) { 'none' }) -join ' ')" 'nothing of others listens on 10250 and 10256' 'stop what listens there'
}
Test-Probe 'W20' 'reserved-ports' {
    $taken = @()
    foreach ($line in @(& netsh.exe int ipv4 show excludedportrange tcp)) {
        # The words are in the system's language, the numbers are not.
        if ($line -match '^\s*(\d+)\s+(\d+)') {
            $first = [int]$Matches[1]
            $last = [int]$Matches[2]
            if ($first -le 32767 -and $last -ge 30000) { $taken += "$first-$last" }
        }
    }
    New-Answer 'warn' ($taken.Count -eq 0) ($taken -join ' ') 'no reserved range within 30000-32767' 'netsh int ipv4 delete excludedportrange, or choose node ports outside'
}
Test-Probe 'W20' 'dynamic-ports' {
    $numbers = @(& netsh.exe int ipv4 show dynamicportrange tcp | ForEach-Object { if ($_ -match ':\s*(\d+)\s*$') { [int]$Matches[1] } })
    $first = $numbers[0]
    New-Answer 'warn' ($first -gt 32767) "from $first" 'beyond 32767, where node ports end' 'netsh int ipv4 set dynamicport tcp start=49152 num=16384'
}
Test-Probe 'W21' 'time-service' {
    $state = [string](Get-Service -Name w32time).Status
    New-Answer 'warn' ($state -eq 'Running') $state 'Running' 'Start-Service w32time; w32tm /resync'
}

# curl.exe asks as the downloads are asked, through the web proxy where there is one: that resolves the names then.
$failed = @()
$untrusted = @()
$unlisted = @()
foreach ($place in @($DownloadHosts -split ' ' | Where-Object { $_ })) {
    $options = @('-sS', '-o', 'NUL', '--connect-timeout', '5', '--max-time', '10')
    $answer = Invoke-Curl ($options + "https://$place/")
    if ($answer.said -match '0x8009201[23]') {
        $unlisted += $place
        $answer = Invoke-Curl ($options + '--ssl-no-revoke' + "https://$place/")
    }
    # Any answer is one: that there is no such page, or none at all.
    if (@(0, 22, 52) -contains $answer.code) { continue }
    if (@(35, 51, 60, 77) -contains $answer.code) { $untrusted += "${place}: $(Get-CurlReason $answer)" } else { $failed += "${place}: $(Get-CurlReason $answer)" }
}
Test-Probe 'W22' 'downloads' {
    New-Answer 'warn' ($failed.Count -eq 0) "out of reach: $(@($failed; if (-not $failed) { 'none' }) -join ', ')" "$DownloadHosts answer" 'name a mirror in the artifacts file, or correct DNS, route and proxy'
}
Test-Probe 'W22' 'revocation-lists' {
    New-Answer 'warn' ($unlisted.Count -eq 0) ($unlisted -join ', ') 'revocation lists that can be reached' 'let this server reach the address of the list that the certificate names, or lock every download by its hash, which is taken without a list'
}
Test-Probe 'W25' 'tls-interception' {
    New-Answer 'warn' ($untrusted.Count -eq 0) ($untrusted -join ', ') 'certificates of authorities that this server trusts' 'import the authority into LocalMachine\Root: the mirror''s own, or that of what opens TLS between'
}
if ($ApiEndpoint -match '[a-z]') {
    Test-Probe 'X5' 'api-name' {
        $apiName = ($ApiEndpoint -split ':')[0]
        $found = 'nothing'
        # A name that nobody knows is an error of the class, not an empty answer.
        try { $found = [string]@([System.Net.Dns]::GetHostAddresses($apiName) | Where-Object { $_.AddressFamily -eq 'InterNetwork' })[0] } catch { $found = 'nothing' }
        if ($ControlPlaneAddress) {
            New-Answer 'step' ($found -eq $ControlPlaneAddress) "$apiName leads to $found" $ControlPlaneAddress 'the step api-name writes it into the hosts file'
        } else {
            New-Answer 'fail' ($found -match '^[0-9.]+$') "$apiName leads to $found" 'an address of the control plane' "let the site's DNS know the name, or write its address into ``control_plane_address``"
        }
    }
}
if ($ApiExpected -eq 'true') {
    Test-Probe 'W23' 'api-server' {
        $apiName, $apiPort = $ApiEndpoint -split ':'
        # The name that a later step writes into the hosts file is not known yet.
        if ($ControlPlaneAddress) { $apiName = $ControlPlaneAddress }
        $reached = Test-Port $apiName $apiPort
        $text = 'no answer'
        if ($reached) { $text = 'reached' }
        New-Answer 'fail' $reached $text "$apiName port $apiPort" 'check the route and the firewall between this server and the master'
    }
}

Test-Probe 'W24' 'winhttp-proxy' {
    $found = @(& netsh.exe winhttp show proxy | ForEach-Object { if ($_ -match '(\S+:\d+)\s*$') { $Matches[1] -replace '//.*@', '//' } })
    New-Answer 'info' $true ($found -join ' ') 'services read the environment, not this' '-'
}
foreach ($scope in 'Machine', 'Process') {
    foreach ($name in 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY') {
        $value = [string][Environment]::GetEnvironmentVariable($name, $scope)
        if ($value) { Write-Fact "$($name.ToLowerInvariant())_$($scope.ToLowerInvariant())" ($value -replace '//.*@', '//') }
    }
}

Test-Probe 'W26' 'winrm-memory' {
    $memory = [int64](Get-Item -Path 'WSMan:\localhost\Shell\MaxMemoryPerShellMB').Value
    New-Answer 'warn' ($memory -ge 1024) "$memory MB" '1024 MB or more' 'Set-Item WSMan:\localhost\Shell\MaxMemoryPerShellMB 1024'
}
Test-Probe 'W26' 'winrm-encryption' {
    $plain = [string](Get-Item -Path 'WSMan:\localhost\Service\AllowUnencrypted').Value
    New-Answer 'warn' ($plain -ne 'true') "AllowUnencrypted $plain" 'AllowUnencrypted false' 'Set-Item WSMan:\localhost\Service\AllowUnencrypted $false'
}
Test-Probe 'W28' 'winrm-start' {
    $mode = [string](Get-CimInstance -ClassName Win32_Service -Filter "Name='WinRM'").StartMode
    New-Answer 'warn' ($mode -eq 'Auto') $mode 'Auto' 'Set-Service WinRM -StartupType Automatic: otherwise a reboot ends the access'
}
Test-Probe 'W29' 'antivirus' {
    $state = [string](Get-Service -Name WinDefend -ErrorAction SilentlyContinue).Status
    New-Answer 'info' $true "Defender $state" 'containerd, kubelet and their folders may be excluded, which is the site''s decision' '-'
}
Test-Probe 'W30' 'language-mode' {
    $mode = [string]$ExecutionContext.SessionState.LanguageMode
    New-Answer 'fail' ($mode -eq 'FullLanguage') $mode 'FullLanguage' 'take this server out of the AppLocker or WDAC policy'
}
Test-Probe 'W31' 'update-activity' {
    $busy = @(Get-Process -Name TiWorker -ErrorAction SilentlyContinue)
    $text = 'idle'
    if ($busy) { $text = 'installing' }
    New-Answer 'warn' ($busy.Count -eq 0) $text 'idle' 'wait until the updates are installed'
}
Test-Probe 'W31' 'automatic-restart' {
    $option = 'none'
    $key = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU'
    if (Test-Path $key) {
        $set = Get-ItemProperty -Path $key
        if ($set -and $set.PSObject.Properties['AUOptions']) { $option = [string]$set.AUOptions }
    }
    New-Answer 'warn' ($option -ne '4') "AUOptions $option" 'no policy that installs and restarts by itself (4)' 'choose a maintenance window, or drain the node first'
}
Test-Probe 'W32' 'page-file' {
    $pages = @(Get-CimInstance -ClassName Win32_PageFileUsage | ForEach-Object { "$($_.Name) $($_.AllocatedBaseSize) MB" })
    New-Answer 'info' $true ($pages -join ', ') 'any: the kubelet on Windows does not look at it' '-'
}

Test-Probe 'W33' 'other-cluster' {
    $foreign = @()
    $fix = 'make sure that nobody needs it, then remove it first, or take a fresh server'
    $others = @('rke2', 'k3s', 'kubeproxy', 'windows-instance-config-daemon')
    if ($FlannelBackend) { $others += @('CalicoNode', 'CalicoFelix', 'antrea-agent', 'hybrid-overlay-node') }
    if ($ClusterProfile -ne 'classic') { $others += 'docker' }
    if (-not $owned) { $others += @('kubelet', 'flanneld', 'kube-proxy') }
    foreach ($service in $others) {
        if (Get-Service -Name $service -ErrorAction SilentlyContinue) { $foreign += "the service $service" }
    }
    if ($joined) {
        $kubeconfig = Read-Kubeconfig 'C:\etc\kubernetes\kubelet.conf'
        $server = $kubeconfig.server
        $ca = $kubeconfig.ca
        if ($server -ne "https://$ApiEndpoint") {
            $foreign += "a node of $server"
            if ($ca -and $ca -ceq $ClusterCa) { $fix = 'it is a node of the cluster that is meant: write the endpoint that it was made with into `control_plane_endpoint`, which cannot be changed afterwards' }
        } elseif ($ca -and $ClusterCa -and $ca -cne $ClusterCa) { $foreign += "a node of an earlier cluster at $server" }
    }
    # What the join would stop over, unless one of ours left it.
    if ($ClusterProfile -ne 'classic' -and -not $joined -and -not (Test-Path 'C:\k8swin\state\kubeadm-join.started')) {
        $authority = 'C:\etc\kubernetes\pki\ca.crt'
        if ($ClusterCa -and (Test-Path $authority) -and (Get-AuthorityIn $authority) -cne $ClusterCa) { $foreign += "the authority $authority" }
        $foreign += @(Get-ChildItem -LiteralPath 'C:\etc\kubernetes\manifests' -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName })
    }
    # A kubelet goes on with the certificate that it finds, whoever gave it and under whichever name.
    $identity = Get-KubeletIdentity
    if ($identity -and $identity -ne $NodeName) { $foreign += "the node $identity by its certificate in C:\var\lib\kubelet\pki" }
    New-Answer 'fail' ($foreign.Count -eq 0) ($foreign -join ', ') 'no traces of another cluster' $fix
}
if ($FlannelBackend -and $CniFolder) {
    Test-Probe 'W33' 'other-cni' {
        # The runtime takes the first file by its name.
        $files = @(Get-ChildItem -LiteralPath $CniFolder -Force -ErrorAction SilentlyContinue | Where-Object { $_.Name -ne $CniFile -and $_.Name -match '\.(conf|conflist|json)$' } | ForEach-Object { $_.Name })
        New-Answer 'fail' ($files.Count -eq 0) ($files -join ' ') "no configuration but $CniFile in $CniFolder" 'move the others away when nobody needs them, or say pod_network when somebody else makes the pods'' network'
    }
}
$runtime = 'containerd'
if ($ClusterProfile -eq 'classic') { $runtime = 'docker' }
Test-Probe 'W33' 'runtime' {
    $found = [string](Get-ForeignRuntime $runtime)
    New-Answer 'fail' (-not $found) $found "no $runtime, or one where it is installed by its own instructions" "move it there, or remove it when nobody needs it"
}
# Whose clusters hosts belong to is held against each other.
if ($ClusterProfile -ne 'classic' -and -not $joined -and (Test-Path 'C:\etc\kubernetes\pki\ca.crt') -and -not (Test-Path 'C:\k8swin\state\kubeadm-join.started')) {
    Get-FactOf 'authority' {
        $text = [System.Text.Encoding]::UTF8.GetBytes("$(Get-AuthorityIn 'C:\etc\kubernetes\pki\ca.crt')`n")
        [System.BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($text)).Replace('-', '').ToLowerInvariant()
    }
}
Get-FactOf 'booted' { (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture) }
Test-Probe 'W36' 'activation' {
    $license = @(Get-CimInstance -ClassName SoftwareLicensingProduct -Filter "ApplicationID='55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey IS NOT NULL" | Select-Object -First 1)
    $status = 0
    $days = 0
    if ($license) {
        $status = [int]$license[0].LicenseStatus
        $days = [Math]::Floor($license[0].GracePeriodRemaining / 1440)
    }
    $found = "status $status"
    if ($days) { $found += ", $days days left" }
    New-Answer 'warn' ($status -eq 1 -and ($days -eq 0 -or $days -ge 14)) $found 'licensed (1), for 14 days or more' 'activate Windows: an evaluation that has ended shuts down every hour'
}

if ($adapter) {
    Write-Fact 'interface' $adapter.Name
    Write-Fact 'mac' $adapter.MacAddress
    Write-Fact 'prefix' ([string]$owner[0].PrefixLength)
    Get-FactOf 'mtu' { (Get-NetIPInterface -InterfaceIndex $owner[0].InterfaceIndex -AddressFamily IPv4).NlMtu }
}
Get-FactOf 'product_uuid' { (Get-CimInstance -ClassName Win32_ComputerSystemProduct).UUID }
Get-FactOf 'machine_id' { (Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Cryptography').MachineGuid }
Get-FactOf 'kubelet_version' { if (Test-Path 'C:\k\kubelet.exe') { (& C:\k\kubelet.exe --version) -replace '^\S+ v', '' } }
Write-Fact 'manufacturer' "$($system.Manufacturer) $($system.Model)"
Write-Fact 'clock_last' (Get-Clock).ToString([Globalization.CultureInfo]::InvariantCulture)
