# Functions that the scripts of this folder share. A script names those that it uses: `# uses: NAME ...`.

# What somebody else made is kept before it is changed or removed: in one folder, by drive and path.
function Get-KeptPath([string]$Path) {
    'C:\k8swin\kept\' + $Path.Substring(0, 1) + $Path.Substring(2)
}

# Hashes are compared and written down in small letters.
function Get-Sha256([string]$Path) {
    (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
}

# Files below a folder that were written from here, are there, and that nobody changed since.
function Get-WrittenBelow([string]$Folder) {
    $record = 'C:\k8swin\state\written.txt'
    if (-not (Test-Path -LiteralPath $record)) { return }
    $paths = @([System.IO.File]::ReadAllLines($record) | ForEach-Object { $_.Substring($_.IndexOf(' ') + 1) })
    $paths | Where-Object { $_.StartsWith("$Folder\", [System.StringComparison]::OrdinalIgnoreCase) } | Sort-Object -Unique | Where-Object { Test-Written $_ }
}

# A file is ours while it is as it was written from here, which the record of hashes and paths says.
function Test-Written([string]$Path) {
    $record = 'C:\k8swin\state\written.txt'
    if (-not (Test-Path -LiteralPath $record) -or -not (Test-Path -LiteralPath $Path -PathType Leaf)) { return $false }
    $lines = [System.IO.File]::ReadAllLines($record)
    # Emptied and not filled again: writing it from here was cut short.
    if ((Get-Item -LiteralPath $Path -Force).Length -eq 0) { return [bool]@($lines | Where-Object { $_.EndsWith(" $Path") }) }
    $lines -contains "$(Get-Sha256 $Path) $Path"
}

# Folders in which nothing but what was written from here comes about by itself. What else is in them is somebody's.
function Test-OwnFolder([string]$Path) {
    'C:\k', 'C:\etc\containerd', 'C:\etc\kube-flannel', 'C:\etc\kube-proxy', 'C:\etc\kubernetes', 'C:\flannel' -contains $Path
}

# Is a file's text this one, letter by letter? To -eq letters of either case are the same, and some that are not seen are none.
function Test-FileText([string]$Path, [string]$Text) {
    (Test-Path -LiteralPath $Path -PathType Leaf) -and [System.IO.File]::ReadAllText($Path).Equals($Text)
}

# What a check finds to differ in a file is told line by line, and compared by whoever asked: Windows has no program for it.
function Get-FileDifference([string]$Path, [string]$Wanted) {
    $differing = ''
    if (Test-Path -LiteralPath $Path -PathType Leaf) {
        $differing = [System.IO.File]::ReadAllText($Path) -replace '\r?\n\z', ''
        if ($differing -and ($differing -replace '\r', '') -ceq (($Wanted -replace '\r?\n\z', '') -replace '\r', '')) {
            "would: ${Path}: the same text with other line ends or in another encoding -> as planned"
            return
        }
    }
    "would write: $Path"
    if ($differing) { $differing -split '\r?\n' | ForEach-Object { "-|$_" } }
    ($Wanted -replace '\r?\n\z', '') -split '\r?\n' | ForEach-Object { "+|$_" }
}

# What a program lists. One that fails lists nothing, which is no empty list.
function Get-Listed([string]$Program, [string[]]$Words) {
    $listed = @(& $Program @Words)
    if ($LASTEXITCODE -ne 0) { throw "$([System.IO.Path]::GetFileName($Program)) $($Words -join ' ') ended with $LASTEXITCODE" }
    $listed
}

# A scanner looks at each new file for a moment, in which nobody can move or delete it.
function Invoke-Patiently([scriptblock]$PatientWork) {
    foreach ($patientTry in 1..20) {
        try {
            & $PatientWork
            return
        } catch {
            if ($patientTry -eq 20) { throw }
        }
        Start-Sleep -Milliseconds 250
    }
}

# Afterwards it is gone, whoever looked at it: one that is left says something that is no longer true.
function Remove-File([string]$Path) {
    Invoke-Patiently { if (Test-Path -LiteralPath $Path) { Remove-Item -LiteralPath $Path -Force } }
}

# A file that others had is copied, with what it holds; one that is ours is not.
function Save-Found([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf) -or (Test-Written $Path)) { return }
    $copy = Get-KeptPath $Path
    if ((Test-Path -LiteralPath $copy) -and (Get-Sha256 $copy) -eq (Get-Sha256 $Path)) { return }
    New-KeptFolder $copy
    if (Test-Path -LiteralPath $copy) {
        $number = 1
        while (Test-Path -LiteralPath "$copy.$number") { $number++ }
        Invoke-Patiently { Move-Item -LiteralPath $copy -Destination "$copy.$number" }
    }
    # What is cut short must not be taken for the file.
    Copy-Item -LiteralPath $Path -Destination "$copy.new" -Force
    Invoke-Patiently { Move-Item -LiteralPath "$copy.new" -Destination $copy }
    "kept: $Path is in $copy"
}

# Keys may be among what is kept: the folder is for the system and administrators alone.
function New-KeptFolder([string]$Copy) {
    if (-not (Test-Path -LiteralPath 'C:\k8swin\kept')) {
        New-Item -ItemType Directory -Path 'C:\k8swin\kept' -Force | Out-Null
        & icacls.exe C:\k8swin\kept /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "icacls.exe ended with $LASTEXITCODE" }
    }
    $folder = [System.IO.Path]::GetDirectoryName($Copy)
    if (-not (Test-Path -LiteralPath $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
}

# The record goes before the file: what is cut short in between leaves a file that is still taken for theirs.
function Add-Written([string]$Path, [string]$Hash) {
    $record = 'C:\k8swin\state\written.txt'
    if (-not (Test-Path -LiteralPath 'C:\k8swin\state')) { New-Item -ItemType Directory -Path 'C:\k8swin\state' -Force | Out-Null }
    $text = ''
    if (Test-Path -LiteralPath $record) { $text = [System.IO.File]::ReadAllText($record) }
    if (@($text -split '\r?\n') -contains "$Hash $Path") { return }
    # A line that was cut short is ended, so that this one is whole.
    $gap = ''
    if ($text -and -not $text.EndsWith("`n")) { $gap = "`r`n" }
    [System.IO.File]::AppendAllText($record, "$gap$Hash $Path`r`n")
}

# Text is written without a byte-order mark, which many programs do not read.
function Write-OwnFile([string]$Path, [string]$Text) {
    Save-Found $Path
    $bytes = (New-Object System.Text.UTF8Encoding($false)).GetBytes($Text)
    $hash = [System.BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($bytes)).Replace('-', '').ToLowerInvariant()
    Add-Written $Path $hash
    Invoke-Patiently { [System.IO.File]::WriteAllBytes($Path, $bytes) }
}

# What was found comes back. A file of ours that somebody changed since is theirs: it stays.
function Restore-Found([string]$Path) {
    $copy = Get-KeptPath $Path
    $there = Test-Path -LiteralPath $Path
    # Half a file that is put back is not what somebody has made of it.
    $record = 'C:\k8swin\state\putting-back'
    $begun = (Test-Path -LiteralPath $record) -and [System.IO.File]::ReadAllText($record) -eq $Path
    if ($there -and -not $begun -and -not (Test-Written $Path)) {
        if ((Test-Path -LiteralPath $copy) -and (Get-Sha256 $copy) -ne (Get-Sha256 $Path)) {
            "warning: $Path was changed since it was written from here, and stays; what was found is in $copy"
        }
        return
    }
    if (Test-Path -LiteralPath $copy) {
        $folder = [System.IO.Path]::GetDirectoryName($Path)
        if (-not (Test-Path -LiteralPath $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
        # Written over, the file keeps its rights; moved to where nothing is, it brings those that it had.
        if ($there) {
            [System.IO.File]::WriteAllText($record, $Path)
            Copy-Item -LiteralPath $copy -Destination $Path -Force
            Remove-File $record
        } else {
            Invoke-Patiently { Move-Item -LiteralPath $copy -Destination $Path }
        }
        "put back: $Path"
    } elseif ($there) {
        Remove-File $Path
    }
}

# kubeadm writes a cluster's authority in one form into whatever it makes. A file may hold it with text before it, with other
# line ends or with further certificates: it is the same authority. Returned is the first certificate, in base64.
function Get-AuthorityIn([string]$Path) {
    $text = [System.IO.File]::ReadAllText($Path)
    $found = ([regex]'-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----').Match($text)
    if ($found.Success) { $text = $found.Value.Replace("`r", '') + "`n" }
    [Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($text))
}

# What lies among kubeadm's own files and is not of its making, as far as names and the authority tell.
function Get-OthersOfKubeadm {
    $own = '^C:\\etc\\kubernetes\\(kubelet|bootstrap-kubelet)\.conf$|^C:\\var\\lib\\kubelet\\((config|instance-config)\.yaml|kubeadm-flags\.env|[a-z_]+_state|pki\\kubelet.*)$'
    $own += '|^C:\\var\\lib\\kubelet\\(pods|plugins|plugins_registry|pod-resources|device-plugins|checkpoints)\\'
    $record = 'C:\k8swin\state\cluster-ca'
    $authority = 'C:\etc\kubernetes\pki\ca.crt'
    if ((Test-Path $record) -and (Test-Path $authority) -and (Get-AuthorityIn $authority) -ceq ([string](Get-Content -Path $record -TotalCount 1)).Trim()) {
        $own += '|^C:\\etc\\kubernetes\\pki\\ca\.crt$'
    }
    foreach ($folder in 'C:\etc\kubernetes\pki', 'C:\etc\kubernetes\manifests', 'C:\var\lib\kubelet') {
        if (-not (Test-Path $folder)) { continue }
        Get-ChildItem -LiteralPath $folder -Recurse -Force | Where-Object { -not $_.PSIsContainer -and $_.FullName -notmatch $own } | ForEach-Object { $_.FullName }
    }
}

# kubeadm empties whole folders: what is not its own is moved out of its way and back, with the rights that it has.
function Reset-Kubeadm([string]$CriSocket) {
    $record = 'C:\k8swin\state\moved.txt'
    $others = @(Get-OthersOfKubeadm)
    # What one that was cut short has moved away comes back with the rest.
    if (Test-Path $record) { $others = @($others + [System.IO.File]::ReadAllLines($record) | Select-Object -Unique) }
    if ($others) {
        [System.IO.File]::WriteAllLines("$record.new", [string[]]$others)
        Invoke-Patiently { Move-Item -LiteralPath "$record.new" -Destination $record -Force }
    }
    foreach ($path in $others) {
        if (-not (Test-Path -LiteralPath $path)) { continue }
        $copy = Get-KeptPath $path
        New-KeptFolder $copy
        Invoke-Patiently { Move-Item -LiteralPath $path -Destination $copy -Force }
    }
    $failed = 0
    if (Test-Path 'C:\k\kubeadm.exe') {
        & C:\k\kubeadm.exe reset -f --cri-socket $CriSocket | Out-Null
        $failed = $LASTEXITCODE
    }
    foreach ($path in $others) { Restore-Found $path }
    if ($others) { Remove-File $record }
    if ($failed -ne 0) { throw "kubeadm.exe reset ended with $failed" }
}

# What was there before the first step is used as it is, neither replaced nor removed.
function Test-FoundService([string]$Name) {
    $record = 'C:\k8swin\state\found.json'
    if (-not (Test-Path $record)) { return $false }
    @((Read-Json $record).services) -contains $Name
}

# A container runtime that was there before is used as it is; its programs are not replaced.
function Test-FoundRuntime($Artifact) {
    foreach ($name in @($Artifact.services | Where-Object { $_ -eq 'containerd' -or $_ -eq 'docker' })) {
        if (Test-FoundService $name) { return $true }
    }
    $false
}

# A runtime of another folder would go on under our configuration, or be stopped for programs that it does not run.
function Get-ForeignRuntime([string]$Name) {
    $program = "$env:ProgramFiles\$Name\$($Name -replace '^docker$', 'dockerd').exe"
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$Name'"
    # Windows' paths are the same in all letters, and may be written with variables.
    $runs = [Environment]::ExpandEnvironmentVariables([string]$service.PathName)
    if ($service -and $runs.IndexOf($program, [StringComparison]::OrdinalIgnoreCase) -lt 0) {
        "the service $Name on this server runs $($service.PathName), wanted ${program}: move that installation there, or remove it"
    }
}

# A service is ours when nssm runs our program in it. Somebody else's service of the same name is left alone.
function Test-OwnService([string]$Name) {
    if (Test-FoundService $Name) { return $false }
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Name\Parameters"
    if (-not (Test-Path $key)) { return $false }
    $found = Get-ItemProperty -Path $key
    if ([string]$found.Application -eq "C:\k\$Name.exe") { return $true }
    # An early flanneld is started by a script of ours.
    [string]$found.Application -like '*\powershell.exe' -and ([string]$found.AppParameters).EndsWith("-File C:\k8swin\$Name.ps1")
}

# nssm may refuse to stop a service while it waits to start its program again: it is asked until it has stopped.
function Stop-WindowsService([string]$Name) {
    $why = ''
    foreach ($attempt in 1..30) {
        $state = [string](Get-Service -Name $Name).Status
        if ($state -eq 'Stopped') { return }
        if ($state -ne 'StopPending') {
            try { Stop-Service -Name $Name -Force } catch { $why = $_.Exception.Message }
            if ([string](Get-Service -Name $Name).Status -eq 'Stopped') { return }
        }
        Start-Sleep -Seconds 2
    }
    throw "the service $Name is $state and does not stop: $why"
}

# Windows lets a service go only when nobody holds it open any more.
function Remove-WindowsService([string]$Name) {
    Stop-WindowsService $Name
    & sc.exe delete $Name | Out-Null
    # 1072: marked for deletion already.
    if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 1072) { throw "sc.exe delete $Name ended with $LASTEXITCODE" }
    foreach ($attempt in 1..20) {
        if (-not (Get-Service -Name $Name -ErrorAction SilentlyContinue)) { break }
        Start-Sleep -Seconds 1
    }
}

# A program reads what it is given when it starts. That it has to start anew is noted before the first change, so that a
# script which is cut short in between leaves nothing that looks done.
function Set-RestartDue([string]$Name) {
    [System.IO.File]::WriteAllText("C:\k8swin\state\$Name.restart", 'what it reads has been changed')
}

# Does a service still have to start anew for a change that is made?
function Test-RestartDue([string]$Name) {
    Test-Path "C:\k8swin\state\$Name.restart"
}

# nssm says of a program that ended within its first seconds that it is paused, and starts it again by itself: whether it
# runs is found out by waiting for it. Only a service that cannot be started at all is an error here.
function Start-WrappedService([string]$Name) {
    try {
        Start-Service -Name $Name
    } catch {
        if ([string](Get-Service -Name $Name).Status -eq 'Stopped') { throw }
    }
}

# A service takes those down that depend on it: what ran before runs afterwards. Stopped and started in one command, it is
# never left stopped by a script that is cut short.
function Restart-WrappedService([string]$Name) {
    $with = @(Get-Service -Name $Name -DependentServices | Where-Object { $_.Status -ne 'Stopped' } | ForEach-Object { $_.Name })
    try {
        Restart-Service -Name $Name -Force
    } catch {
        # One that refused to stop runs on as it was; one that nssm calls paused reads what is new when it starts.
        $state = [string](Get-Service -Name $Name).Status
        if ($state -eq 'Stopped' -or ($state -eq 'Running' -and $_.FullyQualifiedErrorId -match '^(CouldNotStopService|StopServiceFailed)')) { throw }
    }
    foreach ($service in $with) { Start-WrappedService $service }
}

# The change is in effect, and nothing is due any more.
function Restart-ChangedService([string]$Name) {
    Restart-WrappedService $Name
    Remove-File "C:\k8swin\state\$Name.restart"
}

# Of one that does not run there is nothing to do: it reads the change when it starts.
function Restart-RunningService([string]$Name) {
    $service = Get-Service -Name $Name -ErrorAction SilentlyContinue
    if ($service -and [string]$service.Status -ne 'Stopped') { Restart-WrappedService $Name }
    Remove-File "C:\k8swin\state\$Name.restart"
}

# A container runtime starts with the machine, and again when it ends by itself.
function Start-RuntimeService([string]$Name) {
    Set-Service -Name $Name -StartupType Automatic
    & sc.exe failure $Name reset= 86400 actions= restart/5000/restart/5000/restart/30000 | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "sc.exe failure ended with $LASTEXITCODE" }
    Restart-ChangedService $Name
}

# The profile of the firewall that holds on the node's network. One that is not known yet counts as public.
function Get-NetworkCategory([string]$NodeAddress) {
    $address = Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress } | Select-Object -First 1
    $network = $null
    if ($address) { $network = Get-NetConnectionProfile -InterfaceIndex $address.InterfaceIndex -ErrorAction SilentlyContinue | Select-Object -First 1 }
    if (-not $network) { return 'Public' }
    $category = [string]$network.NetworkCategory
    if ($category -eq 'DomainAuthenticated') { $category = 'Domain' }
    $category
}

# Is a port one of those that a filter of the firewall names: all, single ones, ranges?
function Test-PortIn($Ports, [int]$Port) {
    foreach ($one in @($Ports | ForEach-Object { [string]$_ })) {
        if ($one -eq 'Any') { return $true }
        $span = ([regex]'^(\d+)(?:-(\d+))?$').Match($one)
        if (-not $span.Success) { continue }
        $first = [int]$span.Groups[1].Value
        $last = $first
        if ($span.Groups[2].Success) { $last = [int]$span.Groups[2].Value }
        if ($Port -ge $first -and $Port -le $last) { return $true }
    }
    $false
}

# Is an address one of those that a filter of the firewall names: all, the neighbours, single ones, networks, ranges?
function Test-AddressIn([string]$Range, [string]$Client) {
    if ($Range -eq 'Any') { return $true }
    $spans = @($Range)
    if ($Range -eq 'LocalSubnet' -or $Range -eq 'LocalSubnet4') {
        $spans = @(Get-NetIPAddress -AddressFamily IPv4 | ForEach-Object { "$($_.IPAddress)/$($_.PrefixLength)" })
    }
    $form = '^\d+\.\d+\.\d+\.\d+$'
    foreach ($span in $spans) {
        $first, $rest = $span -split '[-/]'
        if ($first -notmatch $form -or $Client -notmatch $form) { continue }
        $number = ConvertTo-AddressNumber $Client
        $low = ConvertTo-AddressNumber $first
        if ($span.Contains('-')) {
            if ($number -ge $low -and $number -le (ConvertTo-AddressNumber $rest)) { return $true }
            continue
        }
        $size = 1
        if ($rest -match $form) { $size = 4294967296 - (ConvertTo-AddressNumber $rest) } elseif ($rest) { $size = [Math]::Pow(2, 32 - [int]$rest) }
        if ([Math]::Floor($number / $size) -eq [Math]::Floor($low / $size)) { return $true }
    }
    $false
}

# What of the rules in force is about a port, of these: the rules of this server's own and those of group policies.
function Get-PortRule($Rules) {
    foreach ($rule in @($Rules | Where-Object { $_ })) {
        if ([string]$rule.Enabled -ne 'True' -or [string]$rule.Direction -ne 'Inbound' -or @('Allow', 'Block') -notcontains [string]$rule.Action) { continue }
        # One that is for another program is for nobody here, and one that is for a single service bars that alone: Windows has such.
        $program = [string](Get-NetFirewallApplicationFilter -AssociatedNetFirewallRule $rule).Program
        if (@('', 'Any', 'System') -notcontains $program -and $program -notlike 'C:\k\*') { continue }
        if ([string]$rule.Action -eq 'Block' -and @('', 'Any') -notcontains [string](Get-NetFirewallServiceFilter -AssociatedNetFirewallRule $rule).Service) { continue }
        @{
            name     = [string]$rule.Name
            title    = [string]$rule.DisplayName
            blocks   = [string]$rule.Action -eq 'Block'
            profiles = @([string]$rule.Profile -split ', *')
            policy   = [string]$rule.PolicyStoreSourceType -eq 'GroupPolicy'
            remote   = @((Get-NetFirewallAddressFilter -AssociatedNetFirewallRule $rule).RemoteAddress | ForEach-Object { [string]$_ })
        }
    }
}

# Is a filter of the firewall about a port?
function Test-PortFilter($Filter, [string]$Protocol, [int]$Port) {
    @('Any', $Protocol, @{ TCP = '6'; UDP = '17' }[$Protocol]) -contains [string]$Filter.Protocol -and (Test-PortIn $Filter.LocalPort $Port)
}

# What lets traffic to a port in, or keeps it out.
function Get-OpenRule([string]$Protocol, [int]$Port) {
    $filters = @(Get-NetFirewallPortFilter -PolicyStore ActiveStore | Where-Object { Test-PortFilter $_ $Protocol $Port })
    foreach ($id in @($filters | ForEach-Object { $_.InstanceID } | Select-Object -Unique)) {
        Get-PortRule @(Get-NetFirewallRule -Name $id -PolicyStore ActiveStore -ErrorAction SilentlyContinue)
    }
}

# What keeps traffic to a port out, whatever else lets it in. There are few of the kind, so they are looked at before their ports.
function Get-BlockingRule([string]$Protocol, [int]$Port) {
    foreach ($rule in @(Get-NetFirewallRule -PolicyStore ActiveStore -Enabled True -Direction Inbound -Action Block -ErrorAction SilentlyContinue)) {
        if (Test-PortFilter (Get-NetFirewallPortFilter -AssociatedNetFirewallRule $rule) $Protocol $Port) { Get-PortRule $rule }
    }
}

# What of rules counts for a client on networks of a category. A group policy may say that only its own rules count. Nobody
# knows whether a rule is for a client who is not known, unless it is for all.
function Select-Counting($Rules, $Settings, [string]$Category, [string]$Client) {
    $Rules | Where-Object { $_ } | Where-Object {
        ($_.policy -or [string]$Settings.AllowLocalFirewallRules -ne 'False') -and
        ($_.profiles -contains 'Any' -or $_.profiles -contains $Category) -and
        @($_.remote | Where-Object { Test-AddressIn $_ $Client })
    }
}

# Do rules let all of these clients in on networks of a category? One that blocks outdoes all that allow.
function Test-Admitted($Rules, [string]$Category, [string[]]$Clients) {
    $settings = Get-NetFirewallProfile -Name $Category -PolicyStore ActiveStore
    if ([string]$settings.Enabled -eq 'False') { return $true }
    if ([string]$settings.AllowInboundRules -eq 'False') { return $false }
    $wanted = @($Clients | Where-Object { $_ })
    if (-not $wanted) { $wanted = @('?') }
    foreach ($client in $wanted) {
        $counting = @(Select-Counting $Rules $settings $Category $client)
        if (@($counting | Where-Object { $_.blocks })) { return $false }
        if (-not $counting -and [string]$settings.DefaultInboundAction -ne 'Allow') { return $false }
    }
    $true
}

# Is a rule of ours there as it is wanted? Who may use it is the site's to narrow.
function Test-OwnRule($Rule) {
    $found = Get-NetFirewallRule -Name $Rule.name -ErrorAction SilentlyContinue
    if (-not $found) { return $false }
    $filter = Get-NetFirewallPortFilter -AssociatedNetFirewallRule $found
    $right = [string]$found.Enabled -eq 'True' -and [string]$found.Action -eq 'Allow' -and [string]$found.Direction -eq 'Inbound'
    $right -and [string]$found.Profile -eq 'Any' -and [string]$filter.Protocol -eq $Rule.protocol -and (@($filter.LocalPort) -join ',') -eq $Rule.port
}

# Where the rules that are made here would be without effect, and why: on the node's network as it is, and on one that is
# public, as which it counts for a while whenever the virtual switch takes it over.
function Get-ClosedNetwork($Rule, [string]$NodeAddress, [string[]]$Clients) {
    $blocking = @(Get-BlockingRule $Rule.protocol $Rule.port | Where-Object { $_.name -ne $Rule.name })
    $wanted = @($Clients | Where-Object { $_ })
    if (-not $wanted) { $wanted = @('?') }
    $closed = [ordered]@{}
    foreach ($category in @('Public', (Get-NetworkCategory $NodeAddress)) | Select-Object -Unique) {
        $settings = Get-NetFirewallProfile -Name $category -PolicyStore ActiveStore
        if ([string]$settings.Enabled -eq 'False') { continue }
        $why = ''
        $titles = @($wanted | ForEach-Object { Select-Counting $blocking $settings $category $_ } | ForEach-Object { "$($_.title) ($($_.name))" } | Select-Object -Unique)
        if ([string]$settings.AllowInboundRules -eq 'False') {
            $why = 'where no rule counts at all'
        } elseif ($titles) {
            $why = "where it is blocked by $($titles -join ', ')"
        } elseif ([string]$settings.AllowLocalFirewallRules -eq 'False' -and -not (Test-Admitted @(Get-OpenRule $Rule.protocol $Rule.port) $category $Clients)) {
            $why = 'where no rule of this server counts, and none of a group policy allows it'
        }
        if ($why) { $closed[$why] = @($closed[$why] | Where-Object { $_ }) + $category }
    }
    foreach ($why in @($closed.Keys)) { "$($Rule.protocol) $($Rule.port) on networks of the profile $($closed[$why] -join ' and '), $why" }
}

# Who is connected to WinRM: the firewall sees them by these addresses, whatever lies between.
function Get-WinrmClient($Ports) {
    @(Get-NetTCPConnection -ErrorAction SilentlyContinue | Where-Object { [string]$_.State -eq 'Established' -and @($Ports) -contains [string]$_.LocalPort } | ForEach-Object { [string]$_.RemoteAddress } | Select-Object -Unique)
}

# A port that is forwarded is none of the listeners' own; then each of these is meant.
function Get-WinrmPort([string]$WinrmPort) {
    $ports = @(Get-ChildItem WSMan:\localhost\Listener | ForEach-Object { [string](Get-Item "WSMan:\localhost\Listener\$($_.Name)\Port").Value })
    if ($ports -contains $WinrmPort) { return $WinrmPort }
    $ports
}

# Whoever removes the last rule that lets WinRM in is not let in again to put it back. Windows' own rule for public networks
# admits nobody but neighbours.
function Test-WinrmElsewhere([string]$NodeAddress, [string]$WinrmPort) {
    $category = Get-NetworkCategory $NodeAddress
    $ports = @(Get-WinrmPort $WinrmPort)
    $clients = @(Get-WinrmClient $ports)
    foreach ($port in $ports) {
        if (-not (Test-Admitted @(Get-OpenRule TCP $port | Where-Object { $_.name -ne 'k8swin-winrm' }) $category $clients)) { return $false }
    }
    $ports.Count -gt 0
}

# Addresses are compared as numbers.
function ConvertTo-AddressNumber([string]$Address) {
    $bytes = ([System.Net.IPAddress]::Parse($Address)).GetAddressBytes()
    [array]::Reverse($bytes)
    [System.BitConverter]::ToUInt32($bytes, 0)
}

# An HNS network is ours when it has our name and lies in that of the pods. The placeholder is SDN's, with a fixed one: others
# make the same, as Calico does, so that it is ours only where these notebooks make one.
function Test-OwnNetwork($Network, [string]$HnsNetwork, [string]$PodSubnet, [string]$Placeholder = '') {
    $prefix = [string]@($Network.Subnets)[0].AddressPrefix
    if ($Network.Name -eq 'External') { return [bool]$Placeholder -and $prefix -eq '192.168.255.0/30' }
    if ($Network.Name -ne $HnsNetwork -or $prefix -notmatch '^\d+\.\d+\.\d+\.\d+/\d+$') { return $false }
    $pods, $length = $PodSubnet -split '/'
    $size = [Math]::Pow(2, 32 - [int]$length)
    [Math]::Floor((ConvertTo-AddressNumber ($prefix -split '/')[0]) / $size) -eq [Math]::Floor((ConvertTo-AddressNumber $pods) / $size)
}

# Text of ours is UTF-8 without a byte-order mark. Others read it meanwhile: it is whole, or as it was before, and whoever
# has the file open is waited for.
function Save-Text([string]$Path, [string]$Text, [int]$Tries = 25) {
    $bytes = (New-Object System.Text.UTF8Encoding($false)).GetBytes($Text)
    $written = $false
    foreach ($try in 1..$Tries) {
        try {
            # Once: a scanner looks at whatever was just written.
            if (-not $written) { [System.IO.File]::WriteAllBytes("$Path.new", $bytes) }
            $written = $true
            Move-Item -LiteralPath "$Path.new" -Destination $Path -Force
            return
        } catch {
            if ($try -eq $Tries) { throw }
        }
        Start-Sleep -Milliseconds 200
    }
}

# A file that is just being replaced, or that a scanner holds, is read a moment later.
function Read-Json([string]$Path) {
    foreach ($try in 1..10) {
        try {
            return Get-Content -LiteralPath $Path -Raw -Encoding UTF8 | ConvertFrom-Json
        } catch {
            if ($try -eq 10) { throw }
        }
        Start-Sleep -Milliseconds 200
    }
}

# HNS answers nobody while it binds an adapter: it is asked again, and only what stays so is an error.
function Wait-Hns([scriptblock]$Question, [int]$HnsSeconds = 40) {
    $hnsWatch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        try {
            # Of nothing its commands may hand on one null.
            $hnsAnswer = @(& $Question | Where-Object { $null -ne $_ })
            return $hnsAnswer
        } catch {
            if ($hnsWatch.Elapsed.TotalSeconds -ge $HnsSeconds) { throw }
        }
        Start-Sleep -Seconds 2
    }
}

# These networks hold a card of the server; those of other kinds have a switch of their own, as that of WSL.
function Test-HoldsAdapter($Network) {
    @('L2Bridge', 'L2Tunnel', 'Overlay', 'Transparent') -contains [string]$Network.Type
}

# Does a network hold the card of the node's address? Of a card with several, HNS may name another one. Packets in envelopes
# leave from the one that it names.
function Test-HoldsNode($Network, [string]$NodeAddress) {
    $held = [string]$Network.ManagementIP
    if ($held -eq $NodeAddress) { return $true }
    if (-not $held -or $held -like '169.254.*' -or $Network.Type -eq 'Overlay') { return $false }
    $both = @(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $held -or $_.IPAddress -eq $NodeAddress })
    $both.Count -eq 2 -and $both[0].InterfaceIndex -eq $both[1].InterfaceIndex
}

# The file that keeps a bridge's own address from pods, in the store of host-local; none where nothing is bridged.
function Get-BridgeReservation([string]$HnsNetwork, [string]$NetworkType, [string]$NodePodCidr) {
    $subnet = ([regex]'^(\d+\.\d+\.\d+)\.0/24$').Match($NodePodCidr)
    if ($NetworkType -ne 'L2Bridge' -or -not $subnet.Success) { return '' }
    "C:\var\lib\cni\networks\$HnsNetwork\$($subnet.Groups[1].Value).2"
}

# What an adapter is given back when Windows loses it.
function Get-AdapterConfiguration($Address) {
    $index = $Address.InterfaceIndex
    $gateway = Get-NetRoute -AddressFamily IPv4 -DestinationPrefix '0.0.0.0/0' -ErrorAction SilentlyContinue |
        Where-Object { $_.InterfaceIndex -eq $index } | Select-Object -First 1
    $nextHop = ''
    if ($gateway) { $nextHop = $gateway.NextHop }
    $interface = Get-NetIPInterface -AddressFamily IPv4 | Where-Object { $_.InterfaceIndex -eq $index }
    $adapter = Get-NetAdapter | Where-Object { $_.ifIndex -eq $index }
    $dns = Get-DnsClientServerAddress -AddressFamily IPv4 | Where-Object { $_.InterfaceIndex -eq $index }
    [ordered]@{
        alias        = $Address.InterfaceAlias
        guid         = [string]$adapter.InterfaceGuid
        mac          = $adapter.MacAddress
        address      = $Address.IPAddress
        prefixLength = $Address.PrefixLength
        gateway      = $nextHop
        dns          = @($dns.ServerAddresses)
        dhcp         = [string]$interface.Dhcp
    }
}

# Half a file, or one without an address, would put nothing back.
function Test-SavedNetwork {
    if (-not (Test-Path 'C:\k8swin\network.json')) { return $false }
    try { $saved = Read-Json 'C:\k8swin\network.json' } catch { return $false }
    [bool]$saved.address -and [bool]$saved.alias
}

# What waits for a reboot, apart from features. Renames of files that are due at the next boot wait for it in peace: scanners and
# drivers leave some at any time.
function Get-PendingReboot {
    if (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') { 'component servicing' }
    if (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired') { 'Windows Update' }
    $names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
    $next = (Get-ItemProperty -Path "$names\ComputerName").ComputerName
    if ((Get-ItemProperty -Path "$names\ActiveComputerName").ComputerName -ne $next) { "the name $next" }
    if ((Test-Path 'HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon\JoinDomain') -or (Test-Path 'HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon\AvoidSpnSet')) { 'the domain' }
}

# Early in a boot the list of features is not to be had yet: it is asked for again for a minute.
function Get-FeatureState([string]$Name) {
    foreach ($attempt in 1..7) {
        $reason = 'Get-WindowsFeature knows no such feature'
        try {
            $feature = Get-WindowsFeature -Name $Name
            if ($feature) { return [string]$feature.InstallState }
        } catch {
            $reason = $_.Exception.Message
        }
        if ($attempt -lt 7) { Start-Sleep -Seconds 10 }
    }
    throw "the state of the feature $Name could not be found out: $reason"
}

# The card that was saved, by what no name and no language changes: its id, its MAC address; by its name only at last.
function Get-SavedAdapter($Saved) {
    $all = @(Get-NetAdapter)
    $cards = @($all | Where-Object { $_.Name -notlike 'vEthernet*' })
    $found = @($cards | Where-Object { $Saved.guid -and [string]$_.InterfaceGuid -eq $Saved.guid })
    if (-not $found) { $found = @($cards | Where-Object { $Saved.mac -and $_.MacAddress -eq $Saved.mac }) }
    # A team and its members share an address.
    $named = @($found | Where-Object { $_.Name -eq $Saved.alias })
    if ($named) { $found = $named }
    if (-not $found) { $found = @($all | Where-Object { $_.Name -eq $Saved.alias }) }
    $found | Select-Object -First 1
}

# The adapter that carries the node's address: the virtual switch's once there is one, else the card itself.
function Get-Carrier($Saved) {
    $card = Get-SavedAdapter $Saved
    $mac = $Saved.mac
    if ($card) { $mac = $card.MacAddress }
    $carrier = Get-NetAdapter | Where-Object { $_.Name -like 'vEthernet*' -and $_.MacAddress -eq $mac -and $_.Status -eq 'Up' } | Select-Object -First 1
    if (-not $carrier) { $carrier = $card }
    if (-not $carrier) { throw "no adapter has the MAC address $mac or the name $($Saved.alias), which had $($Saved.address)" }
    $carrier
}

# Windows adds no address of one's own to an adapter that asks DHCP, and none a second time.
function Restore-NodeAddress($Saved) {
    $carrier = Get-Carrier $Saved
    $index = $carrier.ifIndex
    if ($Saved.dhcp -eq 'Enabled') {
        Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp Enabled
        & ipconfig.exe /renew $carrier.Name | Out-Null
        return
    }
    Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp Disabled
    $held = @(Get-NetIPAddress -AddressFamily IPv4 -ErrorAction SilentlyContinue | Where-Object { $_.IPAddress -eq $Saved.address })
    # A lease goes with DHCP, if not at once.
    if (@($held | Where-Object { $_.InterfaceIndex -eq $index -and [string]$_.PrefixOrigin -ne 'Dhcp' })) { return }
    foreach ($other in $held) { Remove-NetIPAddress -InterfaceIndex $other.InterfaceIndex -IPAddress $other.IPAddress -Confirm:$false }
    New-NetIPAddress -InterfaceIndex $index -IPAddress $Saved.address -PrefixLength $Saved.prefixLength | Out-Null
}

# A static address may come back as a lease; gateway and DNS servers are lost more often than the address.
function Restore-NodeRest($Saved) {
    if ($Saved.dhcp -eq 'Enabled') { return }
    $address = Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $Saved.address } | Select-Object -First 1
    if (-not $address) { return }
    $index = $address.InterfaceIndex
    $interface = Get-NetIPInterface -AddressFamily IPv4 | Where-Object { $_.InterfaceIndex -eq $index }
    if ([string]$interface.Dhcp -eq 'Enabled') {
        "making the address $($Saved.address) of $($address.InterfaceAlias) static again"
        Restore-NodeAddress $Saved
    }
    if ($Saved.gateway) {
        $route = @(Get-NetRoute -AddressFamily IPv4 -DestinationPrefix '0.0.0.0/0' -ErrorAction SilentlyContinue |
            Where-Object { $_.InterfaceIndex -eq $index -and $_.NextHop -eq $Saved.gateway })
        if (-not $route) {
            "giving the gateway $($Saved.gateway) back to $($address.InterfaceAlias)"
            New-NetRoute -DestinationPrefix '0.0.0.0/0' -InterfaceIndex $index -NextHop $Saved.gateway | Out-Null
        }
    }
    $wanted = @($Saved.dns | Where-Object { $_ })
    $dns = Get-DnsClientServerAddress -AddressFamily IPv4 | Where-Object { $_.InterfaceIndex -eq $index }
    if ($wanted -and (@($dns.ServerAddresses) -join ' ') -ne ($wanted -join ' ')) {
        "giving the DNS servers $($wanted -join ' ') back to $($address.InterfaceAlias)"
        Set-DnsClientServerAddress -InterfaceIndex $index -ServerAddresses $wanted
    }
}

# Its words are in the server's language; the two numbers, first port and how many, come last.
function Get-DynamicPortRange([string]$Protocol) {
    $shown = & netsh.exe interface ipv4 show dynamicportrange $Protocol | Out-String
    if ($LASTEXITCODE -ne 0) { throw "netsh.exe ended with $LASTEXITCODE" }
    $numbers = @([regex]::Matches($shown, ':\s*(\d+)') | ForEach-Object { [int]$_.Groups[1].Value })
    if ($numbers.Count -lt 2) { throw "netsh.exe showed no range: $($shown.Trim())" }
    $numbers[-2]
    $numbers[-2] + $numbers[-1] - 1
}

# Is such a task there, with what it is to do, and whatever powers the server?
function Test-NightJob([string]$Job, [string]$Script) {
    $file = "C:\k8swin\jobs\$Job\run.ps1"
    $task = Get-ScheduledTask -TaskName "k8swin-$Job" -ErrorAction SilentlyContinue
    [bool]$task -and -not $task.Settings.DisallowStartIfOnBatteries -and (Test-FileText $file $Script)
}

# A task that waits for its turn runs too: started anew, it would find its own files changed.
function Test-JobRunning([string]$Job) {
    $task = Get-ScheduledTask -TaskName "k8swin-$Job" -ErrorAction SilentlyContinue
    [bool]$task -and ([string]$task.State -eq 'Running' -or [string]$task.State -eq 'Queued')
}

# A task of the system's goes on when the connection ends that started it, and leaves its progress in a file.
function Start-DetachedJob([string]$Job, [string]$Script, [string]$Arguments, [TimeSpan]$Limit) {
    $folder = "C:\k8swin\jobs\$Job"
    if (-not (Test-Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
    foreach ($name in 'status.json', 'status.json.new') {
        Remove-File "$folder\$name"
    }
    [System.IO.File]::WriteAllText("$folder\run.ps1", $Script, (New-Object System.Text.UTF8Encoding($true)))
    $command = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File $folder\run.ps1 $Arguments".Trim()
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $command
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit $Limit -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
    Register-ScheduledTask -TaskName "k8swin-$Job" -Action $action -Principal $principal -Settings $settings -Force | Out-Null
    Start-ScheduledTask -TaskName "k8swin-$Job"
}

# Whoever follows a job must never read half a file; and a status that cannot be written is no failure of the job. How it
# ended is worth a longer wait.
function Save-JobStatus([string]$Folder, $Status) {
    $Status['time'] = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
    $tries = 10
    if (@('done', 'failed', 'rolled-back') -contains $Status['state']) { $tries = 150 }
    try { Save-Text "$Folder\status.json" ($Status | ConvertTo-Json -Compress) $tries } catch { return }
}

# The newest status that can be read; none while there is none. One that could not be put into its place is beside it.
function Read-JobStatus([string]$Folder) {
    foreach ($try in 1..5) {
        $there = @('status.json.new', 'status.json' | Where-Object { Test-Path -LiteralPath "$Folder\$_" })
        # Between the two moves of a replacement there is none for a moment.
        if (-not $there -and $try -gt 1) { return }
        foreach ($name in $there) {
            try { $status = Get-Content -LiteralPath "$Folder\$name" -Raw -Encoding UTF8 | ConvertFrom-Json } catch { continue }
            if ($status.state) { return $status }
        }
        Start-Sleep -Milliseconds 300
    }
}

# The machine's own value alone, as it is spelt: variables in it stay variables.
function Get-MachinePath {
    $item = Get-Item -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    ([string]$item.GetValue('Path', '', 'DoNotExpandEnvironmentNames')) -split ';'
}

# Written as what it is, a text with variables or without.
function Set-MachinePath([string[]]$Entries) {
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    $kind = (Get-Item -Path $key).GetValueKind('Path')
    New-ItemProperty -Path $key -Name Path -PropertyType $kind -Value ($Entries -join ';') -Force | Out-Null
    # Programs that run are told of the change, as with any variable of the machine.
    [Environment]::SetEnvironmentVariable('k8swin', $null, 'Machine')
}

# Rights are narrowed before a secret is in the file, to the system and administrators, by their ids. Those that
# somebody gave by name before would stay beside them.
function Protect-File([string]$Path) {
    if (-not (Test-Path $Path)) {
        # An empty file of ours is not taken for one that was found.
        Add-Written $Path 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
        [System.IO.File]::WriteAllBytes($Path, (New-Object byte[] 0))
    }
    & icacls.exe $Path /reset | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "icacls.exe /reset ended with $LASTEXITCODE" }
    & icacls.exe $Path /inheritance:r /grant:r '*S-1-5-18:F' '*S-1-5-32-544:F' | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "icacls.exe ended with $LASTEXITCODE" }
}

# Windows PowerShell reads no YAML; a kubeconfig of ours has one server and one authority.
function Read-Kubeconfig([string]$Path) {
    $text = [string](Get-Content -Path $Path -Raw)
    @{
        text   = $text
        server = ([regex]'server:\s*(\S+)').Match($text).Groups[1].Value
        ca     = ([regex]'certificate-authority-data:\s*(\S+)').Match($text).Groups[1].Value
    }
}

# A token says itself when it ends, in its middle part, in base64 for addresses and without padding.
function Read-TokenClaim([string]$Kubeconfig) {
    $claims = ([regex]'token:\s*[^.\s]+\.([^.\s]+)\.').Match($Kubeconfig).Groups[1].Value.Replace('-', '+').Replace('_', '/')
    if (-not $claims) { return $null }
    $claims = $claims.PadRight([int]([Math]::Ceiling($claims.Length / 4) * 4), '=')
    [System.Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($claims)) | ConvertFrom-Json
}

# A hash that nobody published ahead of time is the one that the first download left, for its address.
function Get-KnownHash($Artifact) {
    if ($Artifact.hash -ne 'published' -and $Artifact.hash -ne 'first-use') { return $Artifact.hash }
    $stamp = "C:\k8swin\state\$($Artifact.name).$($Artifact.hash)"
    if (-not (Test-Path $stamp)) { return 'unknown' }
    $hash, $url = (Get-Content -Path $stamp -TotalCount 1) -split ' '
    if ($url -ne $Artifact.url) { return 'unknown' }
    $hash
}

# Of an archive the stamp tells which one was unpacked, and what it provides must be there.
function Test-UnpackedArtifact($Artifact, [string]$Hash) {
    $stamp = "C:\k8swin\state\$($Artifact.name).unpacked"
    if (-not (Test-Path $stamp) -or (Get-Content -Path $stamp -TotalCount 1) -ne $Hash) { return $false }
    foreach ($file in @($Artifact.provides)) { if (-not (Test-Path -Path $file)) { return $false } }
    $true
}

# Windows' own curl: another one on the PATH would not know which authorities this server trusts.
function Invoke-Curl([string[]]$Arguments) {
    # What it says comes on standard error, which is no reason to stop.
    $ErrorActionPreference = 'Continue'
    $global:LASTEXITCODE = 2
    $said = @(& "$env:SystemRoot\System32\curl.exe" @Arguments 2>&1 | ForEach-Object { [string]$_ })
    @{ code = $LASTEXITCODE; said = (($said -join ' ') -replace '\s+', ' ').Trim() }
}

# Windows' reasons stand in curl's words as numbers, in every language; one exit code stands for several of them.
function Get-CurlReason($Answer) {
    $reason = switch -Regex ($Answer.said) {
        '0x8009201[23]' { 'the revocation list of its certificate cannot be reached: let this server reach the address that the certificate names, or lock the download''s hash, for which no list is asked' }
        '0x80092010' { 'its certificate was revoked by its authority' }
        '0x80090325|0x800b0109' { 'this server does not trust the authority of its certificate: import that into LocalMachine\Root; if it is not the mirror''s own, something between opens TLS' }
        '0x80090328|0x800b0101' { 'its certificate is not valid today: compare the clocks, then have it renewed' }
        '0x80090322|0x800b010f' { 'its certificate is for another name' }
        '0x80090331|0x80090326' { 'this server and it have no version of TLS or cipher in common' }
    }
    if (-not $reason) {
        $reason = switch ($Answer.code) {
            5 { 'there is no such name as the proxy''s' }
            6 { 'there is no such name: correct the address, or DNS' }
            7 { 'nothing answers there' }
            22 { 'there is no such file, or it is not for everybody' }
            28 { 'no answer in time' }
            35 { 'no TLS connection comes about' }
            51 { 'its certificate is not the one of that name' }
            60 { 'this server does not trust its certificate' }
            77 { 'the authorities that curl.exe is told to trust cannot be read: see CURL_CA_BUNDLE and SSL_CERT_FILE of this server' }
            97 { 'the proxy refuses' }
            default { 'the transfer broke off' }
        }
    }
    $text = "curl.exe ends with $($Answer.code), $reason"
    if ($Answer.said) { $text += " ($($Answer.said))" }
    $text
}

# What of the addresses that must pass a web proxy by is not spared yet. NO_PROXY is read as Go reads it: a network spares all
# in it, `svc`, `.svc` and `*.svc` spare every name that ends so, and `*` spares everything.
function Get-Unspared([string]$NoProxy, [string[]]$Except) {
    foreach ($word in @($NoProxy -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ })) {
        $spared = $Except -contains '*' -or $Except -contains $word
        foreach ($one in $Except) {
            if ($spared) { break }
            if ($word -match '^[\d.]+(/\d+)?$') {
                if ($one -notmatch '^\d+\.\d+\.\d+\.\d+(/\d+)?$') { continue }
                $inner, $length = $word -split '/'
                $outer, $wider = $one -split '/'
                if (-not $length) { $length = 32 }
                if (-not $wider) { $wider = 32 }
                $size = [Math]::Pow(2, 32 - [int]$wider)
                $spared = [int]$wider -le [int]$length -and
                    [Math]::Floor((ConvertTo-AddressNumber $inner) / $size) -eq [Math]::Floor((ConvertTo-AddressNumber $outer) / $size)
            } elseif ($one -notmatch '[/:\s]') {
                $ending = '.' + $one.TrimStart('*').TrimStart('.')
                $spared = $ending.Length -gt 1 -and ('.' + $word.TrimStart('.')).EndsWith($ending, [StringComparison]::OrdinalIgnoreCase)
            }
        }
        if (-not $spared) { $word }
    }
}

# The layers of images are the runtime's: while there are some, nothing else can delete them.
function Test-ImageLayer([string]$Path) {
    (Test-Path "$Path\root\io.containerd.snapshotter.v1.windows\snapshots\*") -or (Test-Path "$Path\windowsfilter\*")
}

# kubectl writes what it misses to standard error, which is no reason to stop.
function Test-RegisteredNode([string]$NodeName) {
    $ErrorActionPreference = 'Continue'
    # A program that is not there sets no exit code, and the last one's stays.
    $global:LASTEXITCODE = 1
    & C:\k\kubectl.exe --kubeconfig=C:\k\config --request-timeout=15s get "nodes/$NodeName" -o name 2>&1 | Out-Null
    $LASTEXITCODE -eq 0
}

# The name under which a kubelet is known to its cluster stands in its certificate, which outlives the server's own name.
function Get-KubeletIdentity {
    $file = 'C:\var\lib\kubelet\pki\kubelet-client-current.pem'
    if (-not (Test-Path $file)) { return '' }
    $body = ([regex]'(?s)-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----').Match([System.IO.File]::ReadAllText($file)).Groups[1].Value
    $der = [System.Text.Encoding]::GetEncoding(28591).GetString([Convert]::FromBase64String($body))
    # A text's length is the byte before it; what comes after it may look like a digit.
    $found = ([regex]'(?s)[\x0c\x13](.)system:node:').Match($der)
    if (-not $found.Success) { return '' }
    $der.Substring($found.Index + 2, [int][char]$found.Groups[1].Value).Substring('system:node:'.Length)
}

# Seconds since 1970, of now or of a moment.
function Get-UnixTime($Moment = [DateTime]::UtcNow) {
    $epoch = New-Object System.DateTime 1970, 1, 1, 0, 0, 0, ([System.DateTimeKind]::Utc)
    [long][Math]::Floor(($Moment - $epoch).TotalSeconds)
}
