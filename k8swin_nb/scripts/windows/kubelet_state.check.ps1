<#
.SYNOPSIS
Does this worker's kubelet work? Asked while its node is not Ready; 30 says that no wait makes it so.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeName
)
$ErrorActionPreference = 'Stop'
# uses: Get-KubeletIdentity

$identity = Get-KubeletIdentity
if ($identity -and $identity -ne $NodeName) {
    "hint: name this server $identity under ``hosts``; or run 90_teardown for it, then this notebook again"
    "the kubelet of this server is the node $identity, planned is $NodeName"
    exit 30
}
$service = Get-Service -Name kubelet -ErrorAction SilentlyContinue
if (-not $service) {
    'hint: run the step `kubelet` of this notebook'
    'the service kubelet is not there'
    exit 30
}
# A program that ended is started again after ten seconds; one that ends at once keeps its service paused.
foreach ($look in 1..6) {
    if (@('Stopped', 'Paused') -notcontains [string]$service.Status) {
        "the kubelet is $($service.Status)"
        exit 0
    }
    Start-Sleep -Seconds 3
    $service = Get-Service -Name kubelet
}
$log = 'C:\var\log\kubelet\kubelet.log'
$why = @()
if (Test-Path $log) { $why = @(Get-Content -Path $log -Tail 60 -Encoding UTF8 | Where-Object { $_ -match '^E\d|err=|[Ee]rror' } | Select-Object -Last 1) }
"hint: read $log, mend what it says, then run this notebook again"
"the kubelet is $(([string]$service.Status).ToLowerInvariant()): $why"
exit 30
