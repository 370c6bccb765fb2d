<#
.SYNOPSIS
Exclude the container runtime's and Kubernetes' programs from Microsoft Defender's inspection.
.DESCRIPTION
Layers of images are slow to unpack, and sometimes locked, while they are inspected. It makes this server less
watched, which is why it is done only when it was asked for.
#>
param(
    [Parameter(Mandatory = $true)][string]$ExcludedPrograms,
    [Parameter(Mandatory = $true)][string]$ExcludedFolders
)
$ErrorActionPreference = 'Stop'

Add-MpPreference -ExclusionProcess ($ExcludedPrograms -split ';') -ExclusionPath ($ExcludedFolders -split ';')
"Microsoft Defender no longer inspects $ExcludedPrograms and $ExcludedFolders"
