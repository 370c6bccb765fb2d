<#
.SYNOPSIS
Collect what shows why a worker does not work, and change nothing.
.DESCRIPTION
Sections begin with `== NAME`. What cannot be had says so in its section and stops nothing. Every part is bounded:
the last lines of logs, the last events. No key, no token and no password is printed.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Read-TokenClaim

$logLines = 60

# A block sees the variables of the function that calls it before those of its own place: names here are of this function alone.
function Write-Section([string]$SectionTitle, [scriptblock]$SectionBody) {
    "== $SectionTitle"
    try {
        & $SectionBody
    } catch {
        "(not to be had: $($_.Exception.Message))"
    }
}

function Get-Digest([string]$Text) {
    # Names of a machine are compared, not shown.
    $hash = [System.Security.Cryptography.SHA256]::Create().ComputeHash([System.Text.Encoding]::UTF8.GetBytes($Text))
    ([System.BitConverter]::ToString($hash) -replace '-', '').ToLowerInvariant().Substring(0, 16)
}

$epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)

Write-Section 'host' {
    $version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime()
    "name`t$($env:COMPUTERNAME.ToLowerInvariant())"
    "time`t$([Math]::Floor(([DateTime]::UtcNow - $epoch).TotalSeconds))"
    "uptime`t$([Math]::Floor(([DateTime]::UtcNow - $boot).TotalSeconds))"
    "system`t$($version.ProductName)"
    "build`t$($version.CurrentBuildNumber)"
    "kubelet.conf`t$(if (Test-Path 'C:\etc\kubernetes\kubelet.conf') { 'yes' } else { 'no' })"
}
Write-Section 'identity' {
    "product-uuid`t$(Get-Digest ([string](Get-CimInstance -ClassName Win32_ComputerSystemProduct).UUID))"
}
Write-Section 'services' {
    foreach ($name in 'kubelet', 'flanneld', 'kube-proxy', 'containerd', 'docker', 'hns', 'vmcompute') {
        $service = Get-Service -Name $name -ErrorAction SilentlyContinue
        if ($service) { "$name`t$($service.Status)`t$($service.StartType)" } else { "$name`tabsent`t" }
    }
}
Write-Section 'processes' {
    foreach ($name in 'kubelet', 'flanneld', 'kube-proxy') {
        foreach ($process in @(Get-Process -Name $name -ErrorAction SilentlyContinue)) { "$name`t$($process.Id)" }
    }
}
# flanneld tells its version on standard error, whose lines Windows PowerShell would show as errors with their place.
function Get-Version([string]$Program) {
    $ErrorActionPreference = 'Continue'
    @(& $Program --version 2>&1 | ForEach-Object { [string]$_ } | Where-Object { $_.Trim() }) -join ' '
}

Write-Section 'versions' {
    foreach ($program in 'C:\k\kubelet.exe', 'C:\k\kube-proxy.exe', 'C:\k\flanneld.exe', "$env:ProgramFiles\containerd\containerd.exe") {
        if (Test-Path $program) { "$([System.IO.Path]::GetFileNameWithoutExtension($program))`t$(Get-Version $program)" }
    }
}
Write-Section 'disk' {
    $disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'"
    "C:`t$([Math]::Floor($disk.FreeSpace / 1GB))"
}
Write-Section 'addresses' {
    foreach ($address in Get-NetIPAddress -AddressFamily IPv4) { "$($address.InterfaceAlias)`t$($address.IPAddress)/$($address.PrefixLength)" }
}
Write-Section 'links' {
    foreach ($adapter in Get-NetAdapter) { "$($adapter.Name)`t$($adapter.Status)`t$($adapter.MacAddress)" }
}
Write-Section 'profiles' {
    foreach ($network in Get-NetConnectionProfile) { "$($network.InterfaceAlias)`t$($network.NetworkCategory)" }
}
Write-Section 'firewall' {
    # Of a WinRM rule that holds on every profile, a Public network takes nothing away.
    $rule = Get-NetFirewallRule -Name k8swin-winrm -ErrorAction SilentlyContinue
    if ($rule) { "k8swin-winrm`t$($rule.Enabled)`t$($rule.Profile)" }
}
Write-Section 'routes' {
    foreach ($route in Get-NetRoute -AddressFamily IPv4) { "$($route.DestinationPrefix)`t$($route.NextHop)`t$($route.InterfaceAlias)" }
}
Write-Section 'hns' {
    foreach ($network in Get-HnsNetwork) {
        $prefix = @($network.Subnets | ForEach-Object { $_.AddressPrefix }) -join ' '
        "network`t$($network.Name)`t$($network.Type)`t$prefix`t$($network.ManagementIP)"
    }
    foreach ($endpoint in Get-HnsEndpoint) { "endpoint`t$($endpoint.Name)`t$($endpoint.IPAddress)" }
    "policies`t$(@(Get-HnsPolicyList).Count)"
}
Write-Section 'cni' {
    foreach ($folder in 'C:\etc\cni\net.d', 'C:\k\cni\config') {
        if (-not (Test-Path $folder)) { continue }
        foreach ($file in Get-ChildItem -Path $folder -File) {
            $bytes = [System.IO.File]::ReadAllBytes($file.FullName)
            $first = ([System.BitConverter]::ToString($bytes, 0, [Math]::Min(3, $bytes.Length)) -replace '-', '').ToLowerInvariant()
            "$($file.Name)`t$first`t$([Convert]::ToBase64String($bytes))"
        }
    }
}
Write-Section 'subnet' {
    if (Test-Path 'C:\run\flannel\subnet.env') { Get-Content -Path 'C:\run\flannel\subnet.env' }
}
Write-Section 'containerd-config' {
    $file = "$env:ProgramFiles\containerd\config.toml"
    if (Test-Path $file) { Get-Content -Path $file -Encoding UTF8 | Where-Object { $_ -match 'sandbox|bin_dir|conf_dir' } }
}
Write-Section 'tokens' {
    foreach ($file in 'C:\etc\kube-flannel\kubeconfig', 'C:\etc\kube-proxy\kubeconfig') {
        if (-not (Test-Path $file)) { continue }
        $token = Read-TokenClaim (Get-Content -Path $file -Raw)
        if (-not $token) { continue }
        "$file`t$($token.exp)"
    }
}
Write-Section 'certificates' {
    $file = 'C:\var\lib\kubelet\pki\kubelet-client-current.pem'
    if (Test-Path $file) {
        $body = ([regex]'(?s)-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----').Match((Get-Content -Path $file -Raw)).Groups[1].Value
        # Its validity is two times in a row, each with the tag 17 and the length 0d.
        $der = [System.Text.Encoding]::GetEncoding(28591).GetString([Convert]::FromBase64String($body))
        $end = ([regex]'\x17\x0d\d{12}Z\x17\x0d(\d{12})Z').Match($der).Groups[1].Value
        "$file`tnotAfter=20$($end.Substring(0, 2))-$($end.Substring(2, 2))-$($end.Substring(4, 2))T$($end.Substring(6, 2)):$($end.Substring(8, 2)):$($end.Substring(10, 2))Z"
    }
}
Write-Section 'proxies' {
    foreach ($name in 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY') {
        $value = [Environment]::GetEnvironmentVariable($name, 'Machine')
        # A user name and a password in an address are left out.
        if ($value) { "$name=$($value -replace '^((?:\w+:)?//)?.*@', '$1')" }
    }
}
Write-Section 'job' {
    if (Test-Path 'C:\k8swin\jobs\pod-network\status.json') { Get-Content -Path 'C:\k8swin\jobs\pod-network\status.json' -Encoding UTF8 }
}
foreach ($name in 'kubelet', 'flanneld', 'kube-proxy', 'containerd') {
    Write-Section "log $name" {
        $file = "C:\var\log\$name\$name.log"
        # Programs write their logs in UTF-8.
        if (Test-Path $file) { Get-Content -Path $file -Tail $logLines -Encoding UTF8 }
    }
}
