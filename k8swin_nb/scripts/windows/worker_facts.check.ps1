<#
.SYNOPSIS
Tell what shows whether a worker works, as it is now, and change nothing.
.DESCRIPTION
A line each, of a word and values with tabs between: services, processes, the certificate of the kubelet, HNS networks,
addresses, routes, rules of the firewall that somebody made, containers. What cannot be had is left out. No key is printed.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Get-KubeletIdentity Get-UnixTime

# A block sees the variables of the function that calls it before those of its own place: names here are of this function alone.
function Write-Part([string]$PartTitle, [scriptblock]$PartBody) {
    try { & $PartBody } catch { "lacking`t$PartTitle`t$(($_.Exception.Message -split "`n")[0])" }
}

"time`t$(Get-UnixTime)"
Write-Part 'services' {
    foreach ($name in 'kubelet', 'flanneld', 'kube-proxy', 'containerd') {
        $service = Get-Service -Name $name -ErrorAction SilentlyContinue
        if ($service) { "service`t$name`t$($service.Status)`t$($service.StartType)" }
    }
}
Write-Part 'processes' {
    foreach ($name in 'kubelet', 'flanneld', 'kube-proxy') {
        foreach ($process in @(Get-Process -Name $name -ErrorAction SilentlyContinue)) { "process`t$name`t$($process.Id)" }
    }
}
Write-Part 'certificate' {
    $file = 'C:\var\lib\kubelet\pki\kubelet-client-current.pem'
    if (Test-Path $file) {
        $body = ([regex]'(?s)-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----').Match((Get-Content -Path $file -Raw)).Groups[1].Value
        "certificate`t$(Get-KubeletIdentity)`t$($body -replace '\s', '')"
    }
}
Write-Part 'hns' {
    foreach ($network in Get-HnsNetwork) {
        "hns`t$($network.Name)`t$($network.Type)`t$(@($network.Subnets | ForEach-Object { $_.AddressPrefix }) -join ' ')`t$($network.ManagementIP)"
    }
}
Write-Part 'addresses' {
    foreach ($address in Get-NetIPAddress -AddressFamily IPv4) { "address`t$($address.IPAddress)`t$($address.InterfaceAlias)" }
}
Write-Part 'routes' {
    foreach ($route in Get-NetRoute -AddressFamily IPv4) { "route`t$($route.DestinationPrefix)`t$($route.NextHop)" }
}
Write-Part 'rules' {
    # Windows' own rules belong to a group; what is made by hand and by setup programs does not.
    foreach ($rule in Get-NetFirewallRule -Direction Inbound -Action Allow | Where-Object { $_.Enabled -eq 'True' -and -not $_.Group }) {
        $port = $rule | Get-NetFirewallPortFilter
        $from = $rule | Get-NetFirewallAddressFilter
        "rule`t$($rule.Name)`t$($port.Protocol)`t$(@($port.LocalPort) -join ',')`t$(@($from.RemoteAddress) -join ',')"
    }
}
Write-Part 'containers' {
    $program = @("$env:ProgramFiles\containerd\crictl.exe", 'C:\k\crictl.exe') | Where-Object { Test-Path $_ } | Select-Object -First 1
    if ($program) {
        $pods = & $program --runtime-endpoint npipe:////./pipe/containerd-containerd pods --state Ready -o json | Out-String | ConvertFrom-Json
        foreach ($pod in $pods.items) { "pod`t$($pod.metadata.namespace)`t$($pod.metadata.name)`t$($pod.metadata.uid)" }
    }
}
