<#
.SYNOPSIS
Are the programs in place, with the locked hash?
.DESCRIPTION
A file is judged by its own hash, an archive by the stamp that its unpacking left.
#>
param(
    [Parameter(Mandatory = $true)][string]$Artifacts,
    [string]$ContainerdVersion = ''
)
$ErrorActionPreference = 'Stop'
# uses: Get-ForeignRuntime Get-KnownHash Test-FoundRuntime Test-UnpackedArtifact

$differs = @()
$trusted = @()
$locked = ConvertFrom-Json $Artifacts
foreach ($artifact in $locked) {
    # What is of another installation is found before anything is stopped or unpacked for it.
    foreach ($name in @($artifact.services | Where-Object { $_ -eq 'containerd' -or $_ -eq 'docker' })) {
        $foreign = Get-ForeignRuntime $name
        if ($foreign) {
            $foreign
            exit 20
        }
    }
    if (Test-FoundRuntime $artifact) {
        # Its configuration has the form of its own version, and Kubernetes wants one that speaks as the planned one does.
        $program = "$env:ProgramFiles\$($artifact.name)\$($artifact.name).exe"
        if ($artifact.name -eq 'containerd' -and $ContainerdVersion -and (Test-Path $program)) {
            $version = ([regex]'\sv?(\d+)\.(\d+)').Match([string](& $program --version)).Groups
            if ($version[1].Value -ne ($ContainerdVersion -split '\.')[0]) {
                "containerd $($version[1].Value).$($version[2].Value) was on this server before, planned is ${ContainerdVersion}: bring it to that version, or remove it"
                exit 20
            }
        }
        continue
    }
    $hash = Get-KnownHash $artifact
    if ($artifact.hash -eq 'first-use') { $trusted += "$($artifact.name) $hash" }
    if ($artifact.unpack) {
        if (-not (Test-UnpackedArtifact $artifact $hash)) { $differs += $artifact.name }
    } elseif (-not (Test-Path -Path $artifact.to)) {
        $differs += $artifact.name
    } elseif ((Get-FileHash -Path $artifact.to -Algorithm $artifact.algorithm).Hash -ne $hash) {
        $differs += "$($artifact.name) (another version)"
    }
}
if ($differs) {
    foreach ($item in $differs) { "would: ${item}: not in place -> downloaded, with its locked SHA-256" }
    "not in place: $($differs -join ', ')"
    exit 10
}
$text = "all $(@($locked).Count) artifacts are in place with their hashes"
if ($trusted) { $text += "; without a published hash, as first downloaded: $($trusted -join ', ')" }
$text
