<#
.SYNOPSIS
Does Microsoft Defender leave the container runtime's and Kubernetes' programs alone, if it runs?
#>
param(
    [Parameter(Mandatory = $true)][string]$ExcludedPrograms,
    [Parameter(Mandatory = $true)][string]$ExcludedFolders
)
$ErrorActionPreference = 'Stop'

if (-not (Get-Process -Name MsMpEng -ErrorAction SilentlyContinue)) {
    'Microsoft Defender does not run'
    exit 0
}
$found = Get-MpPreference
# What a policy hides reads as a sentence in place of the list; it could neither be proven nor taken back.
if (@(@($found.ExclusionProcess) + @($found.ExclusionPath)) -like 'N/A:*') {
    'hint: take this server out of the policy HideExclusionsFromLocalAdmins, or set `defender_exclusions` to false'
    "a policy hides which exclusions Microsoft Defender has: $(@($found.ExclusionPath)[0])"
    exit 20
}
$missing = @($ExcludedPrograms -split ';' | Where-Object { @($found.ExclusionProcess) -notcontains $_ })
$missing += @($ExcludedFolders -split ';' | Where-Object { @($found.ExclusionPath) -notcontains $_ })
if ($missing) {
    foreach ($item in $missing) { "would: Defender: $item is inspected -> excluded" }
    "Microsoft Defender inspects $($missing -join ', ')"
    exit 10
}
'Microsoft Defender leaves the programs of this worker alone'
