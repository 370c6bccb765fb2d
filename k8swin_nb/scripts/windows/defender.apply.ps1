<#
.SYNOPSIS
Exclude the container runtime's and Kubernetes' programs from Microsoft Defender's inspection.
.DESCRIPTION
Layers of images are slow to unpack, and sometimes locked, while they are inspected. It makes this server less
watched, which is why it is done only when it was asked for. What is added is written down before, for the
removal to take it back; exclusions that were there are the site's.
#>
param(
    [Parameter(Mandatory = $true)][string]$ExcludedPrograms,
    [Parameter(Mandatory = $true)][string]$ExcludedFolders
)
$ErrorActionPreference = 'Stop'
# uses: Read-Json Save-Text

$found = Get-MpPreference
$programs = @($ExcludedPrograms -split ';' | Where-Object { @($found.ExclusionProcess) -notcontains $_ })
$folders = @($ExcludedFolders -split ';' | Where-Object { @($found.ExclusionPath) -notcontains $_ })
$record = 'C:\k8swin\state\defender.json'
$added = [ordered]@{ programs = $programs; folders = $folders }
if (Test-Path $record) {
    $before = Read-Json $record
    $added.programs = @(@($before.programs) + $programs | Where-Object { $_ } | Select-Object -Unique)
    $added.folders = @(@($before.folders) + $folders | Where-Object { $_ } | Select-Object -Unique)
}
Save-Text $record ($added | ConvertTo-Json)
if ($programs) { Add-MpPreference -ExclusionProcess $programs }
if ($folders) { Add-MpPreference -ExclusionPath $folders }
"Microsoft Defender no longer inspects $(($programs + $folders) -join ', ')"
