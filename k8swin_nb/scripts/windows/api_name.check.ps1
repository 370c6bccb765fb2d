<#
.SYNOPSIS
Does the control plane's name lead to its address on this server?
.DESCRIPTION
An address that the description gives stands in the hosts file, in a line of ours; without one the site's DNS knows it.
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [string]$ControlPlaneAddress = ''
)
$ErrorActionPreference = 'Stop'

$name = ($ApiEndpoint -split ':')[0]
$found = ''
# A name that nobody knows is an error of the class, not an empty answer.
try { $found = [string]@([System.Net.Dns]::GetHostAddresses($name) | Where-Object { $_.AddressFamily -eq 'InterNetwork' })[0] } catch { $found = '' }
$lines = @(Get-Content -Path 'C:\Windows\System32\drivers\etc\hosts' -ErrorAction SilentlyContinue)
$ours = @($lines | Where-Object { $_ -match '# k8swin api\s*$' })
if (-not $ControlPlaneAddress) {
    if ($ours) {
        $known = $null
        try { $known = Resolve-DnsName -Name $name -Type A -DnsOnly -NoHostsFile -ErrorAction Stop } catch { $known = $null }
        if (-not $known) {
            "hint: let the site's DNS know the name first, or leave its address in ``control_plane_address``"
            "$name is known by our line in the hosts file alone, and no ``control_plane_address`` is described any more"
            exit 20
        }
        "would: hosts file: $($ours[0]) -> no line of ours"
        "the hosts file still has $($ours[0]), and the site's DNS is to know $name"
        exit 10
    }
    if (-not $found) {
        "hint: let the site's DNS know the name, or write its address into ``control_plane_address``"
        "$name leads nowhere"
        exit 20
    }
    "$name leads to $found"
    exit 0
}
foreach ($line in $lines) {
    if ($line -match '# k8swin api\s*$') { continue }
    $words = @(($line -replace '#.*$', '').Trim() -split '\s+')
    if ($words.Count -gt 1 -and $words[1..($words.Count - 1)] -contains $name -and $words[0] -ne $ControlPlaneAddress) {
        'hint: correct `control_plane_address`, or that line'
        "the hosts file has $name at $($words[0]), the description has it at $ControlPlaneAddress"
        exit 20
    }
}
if ($found -ne $ControlPlaneAddress) {
    if (-not $found) { $found = 'nothing' }
    $line = 'no line of ours'
    if ($ours) { $line = $ours[0] }
    "would: hosts file: $line -> $ControlPlaneAddress $name # k8swin api"
    "$name leads to $found, wanted $ControlPlaneAddress"
    exit 10
}
"$name leads to $found"
