<#
.SYNOPSIS
Is the control plane's name gone from the hosts file?
#>
$ErrorActionPreference = 'Stop'

$left = @(Get-Content -Path 'C:\Windows\System32\drivers\etc\hosts' -ErrorAction SilentlyContinue | Where-Object { $_ -match '# k8swin api\s*$' })
if ($left) {
    "the hosts file has $($left -join ', ')"
    exit 10
}
'the hosts file has no line of ours'
