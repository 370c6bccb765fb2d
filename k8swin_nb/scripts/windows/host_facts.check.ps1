<#
.SYNOPSIS
What this server is, as one JSON document; nothing is changed.
.DESCRIPTION
With `-Facts short` what takes no time alone: name, system, build, account, boot and clock.
#>
param([string]$Facts = 'all')
$ErrorActionPreference = 'Stop'
# uses: Get-PendingReboot

# Some cultures have other calendars and other signs between numbers.
$culture = [Globalization.CultureInfo]::InvariantCulture
$version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$system = Get-CimInstance -ClassName Win32_OperatingSystem
$found = [ordered]@{
    name   = $env:COMPUTERNAME.ToLowerInvariant()
    system = [string]$version.ProductName
    kernel = "$($version.CurrentBuildNumber).$($version.UBR)"
    user   = [System.Security.Principal.WindowsIdentity]::GetCurrent().Name
    booted = $system.LastBootUpTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)
    time   = $system.LocalDateTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)
}
if ($Facts -eq 'all') {
    $found['architecture'] = [string]$env:PROCESSOR_ARCHITECTURE
    $processors = @(Get-CimInstance -ClassName Win32_Processor)
    $found['cpus'] = [Environment]::ProcessorCount
    if ($processors) { $found['cpu'] = ([string]$processors[0].Name).Trim() }
    $found['memory'] = [long]$system.TotalVisibleMemorySize * 1024
    $found['memory_available'] = [long]$system.FreePhysicalMemory * 1024
    $found['disks'] = @(
        foreach ($disk in Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType=3') {
            @{ place = [string]$disk.DeviceID; size = [long]$disk.Size; free = [long]$disk.FreeSpace; device = [string]$disk.VolumeName }
        }
    )
    $found['addresses'] = @(
        foreach ($address in Get-NetIPAddress) {
            if ($address.InterfaceAlias -like 'Loopback*' -or '127.0.0.1', '::1' -contains "$($address.IPAddress)") { continue }
            @{ interface = [string]$address.InterfaceAlias; address = ([string]$address.IPAddress -replace '%.*$', '') + '/' + [string]$address.PrefixLength }
        }
    )
    $found['time_zone'] = [System.TimeZoneInfo]::Local.Id
    $found['pending_reboot'] = @(Get-PendingReboot) -join ', '
    $versions = [ordered]@{ powershell = [string]$PSVersionTable.PSVersion }
    foreach ($program in 'containerd', 'docker', 'kubelet', 'kubeadm', 'kubectl') {
        $places = @(Get-Command "$program.exe" -CommandType Application -ErrorAction SilentlyContinue | ForEach-Object { $_.Path })
        $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$program'"
        if ($service -and "$($service.PathName)" -match '^"?(.*?\.exe)') { $places += $Matches[1] }
        $places += "$env:ProgramFiles\$program\$program.exe", "$env:ProgramFiles\$program\bin\$program.exe", "C:\k\$program.exe"
        foreach ($place in $places) {
            # A wrapper such as nssm stands in front of some services.
            if ([System.IO.Path]::GetFileName($place) -ne "$program.exe" -or -not (Test-Path -LiteralPath $place -PathType Leaf)) { continue }
            $words = @('--version')
            if ($program -eq 'kubeadm') { $words = 'version', '-o', 'short' }
            if ($program -eq 'kubectl') { $words = 'version', '--client' }
            # A program that cannot be asked says nothing of its version, and no more.
            try { $said = (& $place @words) -join ' ' } catch { $said = '' }
            if ($said -match 'v?([0-9]+\.[0-9]+\.[0-9]+[-+.~A-Za-z0-9]*)') { $versions[$program] = $Matches[1] }
            break
        }
    }
    $found['versions'] = $versions
    $global:LASTEXITCODE = 0
}
$found | ConvertTo-Json -Compress -Depth 4
