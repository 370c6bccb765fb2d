<#
.SYNOPSIS
Do flanneld and kube-proxy have a kubeconfig of their own that is valid for another month?
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [Parameter(Mandatory = $true)][string]$ClusterCa
)
$ErrorActionPreference = 'Stop'
# uses: Read-Kubeconfig Read-TokenClaim Test-RestartDue

$days = [int]::MaxValue
$epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
foreach ($file in 'C:\etc\kube-flannel\kubeconfig', 'C:\etc\kube-proxy\kubeconfig') {
    if (-not (Test-Path $file)) {
        "$file does not exist"
        exit 10
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
        "$file is not a whole kubeconfig"
        exit 10
    }
    # Tokens of old versions come from a Secret and do not expire.
    if (-not $token.PSObject.Properties['exp']) { continue }
    $left = [Math]::Floor(($epoch.AddSeconds($token.exp) - [DateTime]::UtcNow).TotalDays)
    if ($left -lt 30) {
        "$file expires in $left days"
        exit 10
    }
    $days = [Math]::Min($days, $left)
}
$due = @('flanneld', 'kube-proxy' | Where-Object { Test-RestartDue $_ })
if ($due) {
    "$($due -join ' and ') ran while the kubeconfig was changed, and did not start anew"
    exit 10
}
$text = 'flanneld and kube-proxy have kubeconfigs of their own'
if ($days -lt [int]::MaxValue) { "$text, valid for $days days" } else { "$text, which do not expire" }
