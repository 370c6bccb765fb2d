<#
.SYNOPSIS
Has this worker the cluster's kubeconfig, for this cluster, readable by administrators alone?
.DESCRIPTION
It is the administrator's: kubelet, kube-proxy and flanneld of that time work with it. Whoever reads it owns
the cluster, so that nobody but the system and administrators may.
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [Parameter(Mandatory = $true)][string]$ClusterCa,
    [Parameter(Mandatory = $true)][string]$AdminSha256,
    [string]$AdminDays = ''
)
$ErrorActionPreference = 'Stop'
# uses: Read-Kubeconfig Test-RestartDue

$file = 'C:\k\config'
if (-not (Test-Path $file)) {
    "$file does not exist"
    exit 10
}
$kubeconfig = Read-Kubeconfig $file
$server = $kubeconfig.server
$ca = $kubeconfig.ca
if ($server -and $server -ne "https://$ApiEndpoint") {
    "$file belongs to the cluster at $server, not to https://$ApiEndpoint"
    exit 20
}
if ($ca -and $ca -cne $ClusterCa) {
    "$file trusts another certificate authority than the cluster at $server has"
    exit 20
}
if ((Get-FileHash -Path $file -Algorithm SHA256).Hash -ne $AdminSha256) {
    "$file differs from the control plane's, which may have been renewed"
    exit 10
}
# Names of accounts are in the server's language; the descriptor has SY and BA everywhere.
$rules = (Get-Acl -Path $file).Sddl -replace '^.*?D:', ''
$readers = @([regex]::Matches($rules, '\((?:[^;()]*;){5}([^;()]*)\)') | ForEach-Object { $_.Groups[1].Value })
$others = @($readers | Where-Object { $_ -ne 'SY' -and $_ -ne 'BA' })
if (-not $rules.StartsWith('P') -or $others) {
    "$file may be read by others than the system and administrators"
    exit 10
}
if ([Environment]::GetEnvironmentVariable('KUBECONFIG', 'Machine') -ne $file) {
    "KUBECONFIG of the machine is not $file"
    exit 10
}
$due = @('kubelet', 'flanneld', 'kube-proxy' | Where-Object { Test-RestartDue $_ })
if ($due) {
    "$($due -join ' and ') ran while $file was changed, and did not start anew"
    exit 10
}
$expiry = ''
if ($AdminDays) { $expiry = ", valid for $AdminDays days" }
"WARNING: $file holds the cluster administrator's rights$expiry; SYSTEM and Administrators alone may read it"
