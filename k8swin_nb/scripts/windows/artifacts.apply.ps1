<#
.SYNOPSIS
Download the programs, verify their hashes, and put them in place.
.DESCRIPTION
A download that does not match its hash is deleted and fetched once more, then it is an error. A program
that runs is stopped before its file is replaced and started again afterwards by its own step. An unpacked
archive leaves its stamp only when all of it is there.
#>
param([Parameter(Mandatory = $true)][string]$Artifacts)
$ErrorActionPreference = 'Stop'
# uses: Add-Written Get-KnownHash Get-Sha256 Save-Found Test-FoundRuntime Test-UnpackedArtifact

function Get-Hash([string]$Path, [string]$Algorithm) {
    (Get-FileHash -Path $Path -Algorithm $Algorithm).Hash.ToLowerInvariant()
}

function Save-Url([string]$Name, [string]$Url, [string]$Path) {
    & curl.exe -fsSL --retry 5 --retry-delay 2 --connect-timeout 20 -o $Path $Url
    if ($LASTEXITCODE -ne 0) { throw "${Name}: curl.exe ended with $LASTEXITCODE for $Url" }
}

function Get-LockedHash($Artifact, [string]$Download) {
    $known = Get-KnownHash $Artifact
    if ($known -ne 'unknown') { return $known }
    if ($Artifact.hash -eq 'published') {
        Save-Url $Artifact.name "$($Artifact.url).sha256" "$Download.sha256"
        $hash = ((Get-Content -Path "$Download.sha256" -TotalCount 1) -split '\s+')[0].ToLowerInvariant()
        Remove-Item -Path "$Download.sha256" -Force
        if ($hash -notmatch '^[0-9a-f]{64}$') { throw "$($Artifact.name): $($Artifact.url).sha256 holds no SHA-256" }
    } else {
        # Two downloads that are alike are whole; whether the origin is right nobody can tell without a hash.
        Save-Url $Artifact.name $Artifact.url $Download
        if ("$(Get-Content -Path $Download -TotalCount 1)" -match '^\s*<') {
            # A page would be alike twice, and the right file be refused from then on.
            Remove-Item -Path $Download -Force
            throw "$($Artifact.name): $($Artifact.url) answers with a page, expected a file; ask who runs the proxy or mirror"
        }
        $hash = Get-Hash $Download $Artifact.algorithm
        Save-Url $Artifact.name $Artifact.url "$Download.again"
        $again = Get-Hash "$Download.again" $Artifact.algorithm
        Remove-Item -Path "$Download.again" -Force
        if ($hash -ne $again) {
            Remove-Item -Path $Download -Force
            throw "$($Artifact.name): two downloads differ, SHA-256 $hash and $again, from $($Artifact.url)"
        }
    }
    Set-Content -Path "C:\k8swin\state\$($Artifact.name).$($Artifact.hash)" -Value "$hash $($Artifact.url)" -Encoding ASCII
    Write-Host "$($Artifact.name): no lock has its hash; from now on this server takes no other than SHA-256 $hash"
    $hash
}

function Receive-Artifact($Artifact, [string]$Hash, [string]$Path) {
    if ((Test-Path -Path $Path) -and (Get-Hash $Path $Artifact.algorithm) -eq $Hash) { return }
    $found = ''
    foreach ($attempt in 1, 2) {
        Save-Url $Artifact.name $Artifact.url $Path
        $found = Get-Hash $Path $Artifact.algorithm
        if ($found -eq $Hash) { return }
        Remove-Item -Path $Path -Force
    }
    throw "$($Artifact.name): $($Artifact.algorithm) is $found, locked is $Hash, from $($Artifact.url)"
}

function Stop-Users($Artifact) {
    foreach ($name in @($Artifact.services)) {
        if ($name -and (Get-Service -Name $name -ErrorAction SilentlyContinue)) { Stop-Service -Name $name -Force }
    }
}

# The files that an archive would write, without the leading folders that are taken off.
function Get-Target($Artifact, [string]$Download) {
    $names = @(& tar.exe -tf $Download)
    if ($LASTEXITCODE -ne 0) { throw "$($Artifact.name): tar.exe -tf ended with $LASTEXITCODE" }
    foreach ($name in $names) {
        $parts = @($name -replace '^\./', '' -split '/')
        if ($name.EndsWith('/') -or $parts.Count -le $Artifact.strip) { continue }
        if ($Artifact.members -and @($Artifact.members) -notcontains $name) { continue }
        "$($Artifact.to)\$(@($parts | Select-Object -Skip $Artifact.strip) -join '\')"
    }
}

$locked = ConvertFrom-Json $Artifacts
foreach ($artifact in $locked) {
    if (Test-FoundRuntime $artifact) { continue }
    $download = "C:\k8swin\downloads\$($artifact.file)"
    $hash = Get-LockedHash $artifact $download
    if ($artifact.unpack) {
        if (Test-UnpackedArtifact $artifact $hash) { continue }
        Receive-Artifact $artifact $hash $download
        Stop-Users $artifact
        if (-not (Test-Path -Path $artifact.to)) { New-Item -ItemType Directory -Path $artifact.to -Force | Out-Null }
        $targets = @(Get-Target $artifact $download)
        # What an unpacking that was cut short left there is ours; what was found had been kept before it began.
        $record = "C:\k8swin\state\$($artifact.name).unpacking"
        $before = @()
        if (Test-Path $record) { $before = [System.IO.File]::ReadAllLines($record) }
        foreach ($file in $targets) { if ($before -notcontains $file) { Save-Found $file } }
        [System.IO.File]::WriteAllLines($record, [string[]]$targets)
        if ($artifact.members) {
            & tar.exe -xf $download -C $artifact.to --strip-components $artifact.strip @($artifact.members)
        } else {
            & tar.exe -xf $download -C $artifact.to --strip-components $artifact.strip
        }
        if ($LASTEXITCODE -ne 0) { throw "$($artifact.name): tar.exe ended with $LASTEXITCODE" }
        foreach ($file in $targets) { if (Test-Path -LiteralPath $file -PathType Leaf) { Add-Written $file (Get-Sha256 $file) } }
        foreach ($file in @($artifact.provides)) {
            if (-not (Test-Path -Path $file)) { throw "$($artifact.name): the archive $($artifact.url) holds no $file" }
        }
        Remove-Item -Path $record -Force
        Set-Content -Path "C:\k8swin\state\$($artifact.name).unpacked" -Value $hash -Encoding ASCII
    } else {
        if ((Test-Path -Path $artifact.to) -and (Get-Hash $artifact.to $artifact.algorithm) -eq $hash) { continue }
        Receive-Artifact $artifact $hash $download
        Stop-Users $artifact
        Save-Found $artifact.to
        Add-Written $artifact.to (Get-Sha256 $download)
        # Beside its place first: a copy that is cut short is neither a program nor somebody's file.
        Copy-Item -Path $download -Destination "$($artifact.to).k8swin-new" -Force
        Move-Item -LiteralPath "$($artifact.to).k8swin-new" -Destination $artifact.to -Force
    }
    Remove-Item -Path $download -Force
    "$($artifact.name) is in $($artifact.to)"
}
