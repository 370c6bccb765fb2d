<#
.SYNOPSIS
Has this worker the cluster's kubeconfig, for this cluster, readable by administrators alone?
.DESCRIPTION
It is the administrator's: kubelet, kube-proxy and flanneld of that time work with it. Whoever reads it owns
the cluster, so that nobody but the system and administrators may. A cluster that is not made yet has no ClusterCa and no
AdminSha256.
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [string]$ClusterCa = '',
    [string]$AdminSha256 = '',
    [string]$AdminDays = ''
)
$ErrorActionPreference = 'Stop'
# uses: Read-Kubeconfig Test-RestartDue

$file = 'C:\k\config'
$differs = @()
$variable = [string][Environment]::GetEnvironmentVariable('KUBECONFIG', 'Machine')
if ($variable -ne $file) {
    if (-not $variable) { $variable = 'not set' }
    "would: KUBECONFIG of the machine: $variable -> $file"
    $differs += "KUBECONFIG of the machine is not $file"
}
if (-not (Test-Path $file)) {
    "would: ${file}: not there -> the administrator's kubeconfig (its content is a secret)"
    (@("$file does not exist") + $differs) -join '; '
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
    "would: ${file}: another -> the control plane's (its content is a secret)"
    $differs += "$file differs from the control plane's, which may have been renewed"
}
# Names of accounts are in the server's language; the descriptor has SY and BA everywhere.
$rules = (Get-Acl -Path $file).Sddl -replace '^.*?D:', ''
$readers = @([regex]::Matches($rules, '\((?:[^;()]*;){5}([^;()]*)\)') | ForEach-Object { $_.Groups[1].Value })
$others = @($readers | Where-Object { $_ -ne 'SY' -and $_ -ne 'BA' })
if (-not $rules.StartsWith('P') -or $others) {
    "would: ${file}: read by others too -> by the system and administrators alone"
    $differs += "$file may be read by others than the system and administrators"
}
$due = @('kubelet', 'flanneld', 'kube-proxy' | Where-Object { Test-RestartDue $_ })
if ($due) {
    foreach ($name in $due) { "would: service ${name}: runs with another kubeconfig -> started anew" }
    $differs += "$($due -join ' and ') ran while $file was changed, and did not start anew"
}
if ($differs) {
    $differs -join '; '
    exit 10
}
$expiry = ''
if ($AdminDays) { $expiry = ", valid for $AdminDays days" }
"WARNING: $file holds the cluster administrator's rights$expiry; SYSTEM and Administrators alone may read it"
