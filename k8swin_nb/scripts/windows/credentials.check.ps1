<#
.SYNOPSIS
Do flanneld and kube-proxy have a kubeconfig of their own that is valid for another month?
#>
param(
    [Parameter(Mandatory = $true)][string]$MasterAddress,
    [Parameter(Mandatory = $true)][string]$ClusterCa
)
$ErrorActionPreference = 'Stop'

$epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
foreach ($file in 'C:\etc\kube-flannel\kubeconfig', 'C:\etc\kube-proxy\kubeconfig') {
    if (-not (Test-Path $file)) {
        "$file does not exist"
        exit 10
    }
    $text = Get-Content -Path $file -Raw
    if (-not $text.Contains("https://${MasterAddress}:6443") -or -not $text.Contains($ClusterCa)) {
        "$file is for another cluster"
        exit 10
    }
    $claims = ([regex]'token:\s*[^.\s]+\.([^.\s]+)\.').Match($text).Groups[1].Value.Replace('-', '+').Replace('_', '/')
    $claims = $claims.PadRight([int]([Math]::Ceiling($claims.Length / 4) * 4), '=')
    $token = [System.Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($claims)) | ConvertFrom-Json
    $days = [Math]::Floor(($epoch.AddSeconds($token.exp) - [DateTime]::UtcNow).TotalDays)
    if ($days -lt 30) {
        "$file expires in $days days"
        exit 10
    }
}
"flanneld and kube-proxy have kubeconfigs of their own, valid for $days days"
