<#
.SYNOPSIS
Look at what Kubernetes needs of this server before anything is changed.
.DESCRIPTION
One line a check, tab-separated: name, severity when it does not hold (fail or warn), ok or no, what was
found, what is wanted, what to do.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeName,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$MasterAddress,
    [Parameter(Mandatory = $true)][string]$PodSubnet,
    [Parameter(Mandatory = $true)][string]$ServiceSubnet,
    [Parameter(Mandatory = $true)][string]$SupportedBuilds,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [string]$ClusterProfile = 'current',
    [string]$ControllerTime = ''
)
$ErrorActionPreference = 'Stop'

function Write-Check([string]$Name, [string]$Severity, [bool]$Holds, [string]$Found, [string]$Wanted, [string]$Fix) {
    $state = 'no'
    if ($Holds) { $state = 'ok' }
    $Name, $Severity, $state, $Found, $Wanted, $Fix -join "`t"
}

function ConvertTo-Number([string]$Address) {
    $bytes = ([System.Net.IPAddress]::Parse($Address)).GetAddressBytes()
    [array]::Reverse($bytes)
    [System.BitConverter]::ToUInt32($bytes, 0)
}

function Test-Overlap([string]$One, [string]$Two) {
    $first, $firstLength = $One -split '/'
    $second, $secondLength = $Two -split '/'
    $bits = 32 - [Math]::Min([int]$firstLength, [int]$secondLength)
    $size = [Math]::Pow(2, $bits)
    [Math]::Floor((ConvertTo-Number $first) / $size) -eq [Math]::Floor((ConvertTo-Number $second) / $size)
}

$identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object System.Security.Principal.WindowsPrincipal($identity)
$elevated = $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
Write-Check 'administrator' 'fail' $elevated $identity.Name 'an elevated administrator' 'use the built-in Administrator or a domain administrator'

$version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$build = [string]$version.CurrentBuildNumber
Write-Check 'build' 'fail' (($SupportedBuilds -split ',') -contains $build) "$($version.ProductName) $build.$($version.UBR)" "one of $SupportedBuilds" 'use Windows Server 2019, 2022 or 2025 as this Kubernetes version supports it'
Write-Check 'server' 'fail' ($version.InstallationType -like 'Server*') $version.InstallationType 'Server or Server Core' 'use Windows Server'
Write-Check 'powershell' 'fail' ($PSVersionTable.PSVersion -ge [version]'5.1') ([string]$PSVersionTable.PSVersion) '5.1 or newer' 'install Windows Management Framework 5.1'
$mode = [string]$ExecutionContext.SessionState.LanguageMode
Write-Check 'language-mode' 'fail' ($mode -eq 'FullLanguage') $mode 'FullLanguage' 'take this server out of the AppLocker or WDAC policy'

$name = $env:COMPUTERNAME.ToLower()
Write-Check 'host-name' 'warn' ($name -eq $NodeName) $name $NodeName 'the step host-name renames this server and reboots it'
$addresses = @(Get-NetIPAddress -AddressFamily IPv4 | ForEach-Object { $_.IPAddress })
$owners = @(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress })
Write-Check 'address' 'fail' ($owners.Count -eq 1) ($addresses -join ' ') "$NodeAddress on one interface" 'correct the address in the parameters'

$system = Get-CimInstance -ClassName Win32_ComputerSystem
$memory = [Math]::Floor($system.TotalPhysicalMemory / 1MB)
Write-Check 'memory' 'warn' ($memory -ge 3900) "$memory MiB" '4096 MiB or more' 'give the machine more memory'
Write-Check 'cpus' 'warn' ($system.NumberOfLogicalProcessors -ge 2) ([string]$system.NumberOfLogicalProcessors) '2 or more' 'give the machine a second CPU'
$disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'"
$free = [Math]::Floor($disk.FreeSpace / 1GB)
Write-Check 'disk' 'fail' ($free -ge 20) "$free GiB free on C:" '20 GiB, better 50' 'images take several GiB each: free or add disk space'

$pending = @()
if (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') { $pending += 'component servicing' }
if (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired') { $pending += 'Windows Update' }
$manager = Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager'
if ($manager.PSObject.Properties['PendingFileRenameOperations'] -and $manager.PendingFileRenameOperations) { $pending += 'file renames' }
$active = (Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName').ComputerName
$next = (Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName').ComputerName
if ($active -ne $next) { $pending += 'computer name' }
$text = 'none'
if ($pending) { $text = $pending -join ', ' }
Write-Check 'pending-reboot' 'warn' ($pending.Count -eq 0) $text 'none' 'the step reboot does it'

$route = @(Get-NetRoute -AddressFamily IPv4 | Where-Object {
        $_.DestinationPrefix -ne '0.0.0.0/0' -and $_.InterfaceAlias -notlike 'vEthernet*' -and
        ($_.DestinationPrefix -notlike '224.*') -and ($_.DestinationPrefix -notlike '255.*') -and
        ($_.NextHop -eq '0.0.0.0') -and
        ((Test-Overlap $_.DestinationPrefix $PodSubnet) -or (Test-Overlap $_.DestinationPrefix $ServiceSubnet))
    } | ForEach-Object { $_.DestinationPrefix })
$text = 'none'
if ($route) { $text = $route -join ' ' }
Write-Check 'routes' 'fail' ($route.Count -eq 0) $text "no route inside $PodSubnet or $ServiceSubnet" 'choose other subnets'

$foreign = @()
foreach ($service in 'docker', 'rke2', 'k3s', 'CalicoNode') {
    if ($service -eq 'docker' -and $ClusterProfile -eq 'classic' -and (Test-Path 'C:\k8swin\owned')) { continue }
    if (Get-Service -Name $service -ErrorAction SilentlyContinue) { $foreign += $service }
}
if ((Get-Service -Name kubelet -ErrorAction SilentlyContinue) -and -not (Test-Path 'C:\k8swin\owned')) { $foreign += 'kubelet' }
$text = 'none'
if ($foreign) { $text = $foreign -join ' ' }
Write-Check 'other-cluster' 'fail' ($foreign.Count -eq 0) $text 'no services of another cluster' 'remove the other installation first'

$listening = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue | Where-Object { $_.LocalPort -eq 10250 })
$ours = Test-Path 'C:\k8swin\owned'
$text = 'free'
if ($listening) { $text = 'in use' }
Write-Check 'port-10250' 'fail' ($ours -or $listening.Count -eq 0) $text 'free' 'stop what listens on port 10250'

$client = New-Object System.Net.Sockets.TcpClient
$reached = $false
try {
    $attempt = $client.BeginConnect($MasterAddress, 6443, $null, $null)
    $reached = $attempt.AsyncWaitHandle.WaitOne(5000) -and $client.Connected
} catch {
    $reached = $false
} finally {
    $client.Close()
}
$text = 'no answer'
if ($reached) { $text = 'reached' }
Write-Check 'api-server' 'fail' $reached $text "$MasterAddress port 6443" 'check the route and the firewall between this server and the master'

if ($ControllerTime) {
    $epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
    $now = ([DateTime]::UtcNow - $epoch).TotalSeconds
    $skew = [Math]::Round([Math]::Abs($now - [double]::Parse($ControllerTime, [Globalization.CultureInfo]::InvariantCulture)), 1)
    Write-Check 'clock' 'fail' ($skew -lt 30) "$skew s from the controller" 'less than 30 s' 'w32tm /resync'
}
$proxy = [Environment]::GetEnvironmentVariable('HTTPS_PROXY', 'Machine')
$text = 'none'
if ($proxy) { $text = $proxy }
$except = [string][Environment]::GetEnvironmentVariable('NO_PROXY', 'Machine')
Write-Check 'proxy' 'warn' (-not $proxy -or $except.Contains($MasterAddress)) $text "none, or NO_PROXY holds $MasterAddress" 'set NO_PROXY for the machine'
$networks = @()
if (Get-Command Get-HnsNetwork -ErrorAction SilentlyContinue) {
    $networks = @(Get-HnsNetwork | Where-Object { $_.Name -ne 'nat' -and $_.Name -ne $HnsNetwork -and ($ClusterProfile -ne 'classic' -or $_.Name -ne 'External') } | ForEach-Object { $_.Name })
}
$text = 'none'
if ($networks) { $text = $networks -join ' ' }
Write-Check 'hns-networks' 'fail' ($networks.Count -eq 0) $text "only nat and $HnsNetwork" 'remove the other networks, they hold the adapter'
