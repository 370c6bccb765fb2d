<#
.SYNOPSIS
Do flanneld and kube-proxy have a kubeconfig of their own that is valid for another month?
.DESCRIPTION
A cluster that is not made yet has no ClusterCa.
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [string]$ClusterCa = ''
)
$ErrorActionPreference = 'Stop'
# uses: Read-Kubeconfig Read-TokenClaim Test-RestartDue

$days = [int]::MaxValue
$differs = @()
$epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
foreach ($file in 'C:\etc\kube-flannel\kubeconfig', 'C:\etc\kube-proxy\kubeconfig') {
    if (-not (Test-Path $file)) {
        "would: ${file}: not there -> a token of its own (its content is a secret)"
        $differs += "$file does not exist"
        continue
    }
    $kubeconfig = Read-Kubeconfig $file
    $server = $kubeconfig.server
    $ca = $kubeconfig.ca
    if (($server -and $server -ne "https://$ApiEndpoint") -or ($ca -and $ca -cne $ClusterCa)) {
        "$file belongs to another cluster, at $server"
        exit 20
    }
    try { $token = Read-TokenClaim $kubeconfig.text } catch { $token = $null }
    if (-not $server -or -not $ca -or -not $token) {
        "would: ${file}: not a whole kubeconfig -> a token of its own (its content is a secret)"
        $differs += "$file is not a whole kubeconfig"
        continue
    }
    # Tokens of old versions come from a Secret and do not expire.
    if (-not $token.PSObject.Properties['exp']) { continue }
    $left = [Math]::Floor(($epoch.AddSeconds($token.exp) - [DateTime]::UtcNow).TotalDays)
    if ($left -lt 30) {
        "would: ${file}: valid for $left days -> a new token"
        $differs += "$file expires in $left days"
        continue
    }
    $days = [Math]::Min($days, $left)
}
$due = @('flanneld', 'kube-proxy' | Where-Object { Test-RestartDue $_ })
if ($due) {
    foreach ($name in $due) { "would: service ${name}: runs with another kubeconfig -> started anew" }
    $differs += "$($due -join ' and ') ran while the kubeconfig was changed, and did not start anew"
}
if ($differs) {
    $differs -join '; '
    exit 10
}
$text = 'flanneld and kube-proxy have kubeconfigs of their own'
if ($days -lt [int]::MaxValue) { "$text, valid for $days days" } else { "$text, which do not expire" }
