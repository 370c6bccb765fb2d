<#
.SYNOPSIS
Download the programs, verify their hashes, and put them in place.
.DESCRIPTION
A download that does not match its hash is deleted and fetched once more, then it is an error. An archive is unpacked
beside its place first: what is missing or broken is known before anything is stopped. Windows lets nobody write over a
program that runs, as the shims of running pods do, but rename it: the old one steps aside, and goes when it has ended.
Services that use a program stop for that alone and run again after it, also when it fails. An unpacked archive leaves
its stamp only when all of it is there.
#>
param([Parameter(Mandatory = $true)][string]$Artifacts)
$ErrorActionPreference = 'Stop'
# uses: Add-Written Get-CurlReason Get-KnownHash Get-Sha256 Invoke-Curl Invoke-Patiently Remove-File Save-Found Test-FoundRuntime Test-UnpackedArtifact

$tar = "$env:SystemRoot\System32\tar.exe"

function Get-Hash([string]$Path, [string]$Algorithm) {
    (Get-FileHash -LiteralPath $Path -Algorithm $Algorithm).Hash.ToLowerInvariant()
}

# Whether a certificate was revoked matters where nothing but the certificate says what is right: with a hash that is
# known the list of a site's own authority need not be there to be asked.
function Save-Url([string]$Name, [string]$Url, [string]$Path, [bool]$Locked) {
    $options = @('-fsSL', '--retry', '5', '--retry-delay', '2', '--connect-timeout', '20', '-o', $Path)
    if ($Locked) { $options += '--ssl-no-revoke' }
    foreach ($attempt in 1..3) {
        $answer = Invoke-Curl ($options + $Url)
        if ($answer.code -eq 0) { return }
        # What breaks off in the middle curl does not try again by itself.
        if (@(18, 52, 55, 56, 92) -notcontains $answer.code) { break }
    }
    throw "${Name}: $Url did not arrive: $(Get-CurlReason $answer)"
}

function Get-LockedHash($Artifact, [string]$Download) {
    $known = Get-KnownHash $Artifact
    if ($known -ne 'unknown') { return $known }
    if ($Artifact.hash -eq 'published') {
        Save-Url $Artifact.name "$($Artifact.url).sha256" "$Download.sha256" $false
        $hash = ((Get-Content -Path "$Download.sha256" -TotalCount 1) -split '\s+')[0].ToLowerInvariant()
        Remove-File "$Download.sha256"
        if ($hash -notmatch '^[0-9a-f]{64}$') { throw "$($Artifact.name): $($Artifact.url).sha256 holds no SHA-256" }
    } else {
        # Two downloads that are alike are whole; whether the origin is right nobody can tell without a hash.
        Save-Url $Artifact.name $Artifact.url $Download $false
        if ("$(Get-Content -Path $Download -TotalCount 1)" -match '^\s*<') {
            # A page would be alike twice, and the right file be refused from then on.
            Remove-File $Download
            throw "$($Artifact.name): $($Artifact.url) answers with a page, expected a file; ask who runs the proxy or mirror"
        }
        $hash = Get-Hash $Download $Artifact.algorithm
        Save-Url $Artifact.name $Artifact.url "$Download.again" $false
        $again = Get-Hash "$Download.again" $Artifact.algorithm
        Remove-File "$Download.again"
        if ($hash -ne $again) {
            Remove-File $Download
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
        Save-Url $Artifact.name $Artifact.url $Path $true
        $found = Get-Hash $Path $Artifact.algorithm
        if ($found -eq $Hash) { return }
        Remove-File $Path
    }
    throw "$($Artifact.name): $($Artifact.algorithm) is $found, locked is $Hash, from $($Artifact.url)"
}

# What runs and uses a program, with the services that cannot run without that, in the order to start them.
function Get-User($Artifact) {
    foreach ($name in @($Artifact.services | Where-Object { $_ })) {
        $service = Get-Service -Name $name -ErrorAction SilentlyContinue
        if (-not $service -or [string]$service.Status -eq 'Stopped') { continue }
        $name
        Get-Service -Name $name -DependentServices | Where-Object { [string]$_.Status -ne 'Stopped' } | ForEach-Object { $_.Name }
    }
}

# A program may refuse a configuration that is not for it yet; the step of its own sees to that.
function Start-User([string[]]$Names) {
    foreach ($name in @($Names | Where-Object { $_ })) {
        try { Start-Service -Name $name } catch { "$name does not start yet: $($_.Exception.Message)" }
    }
}

# Pairs of a file that is ready and of its place, without those that are there already.
function Get-Change($Artifact, [string]$Ready) {
    if (-not $Artifact.unpack) { return ,@(@{ from = $Ready; to = $Artifact.to }) }
    $changes = @()
    foreach ($file in @(Get-ChildItem -LiteralPath $Ready -Recurse -Force | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.FullName })) {
        $place = $Artifact.to + $file.Substring($Ready.Length)
        if (-not (Test-Path -LiteralPath $place -PathType Leaf) -or (Get-Sha256 $place) -ne (Get-Sha256 $file)) { $changes += @{ from = $file; to = $place } }
    }
    return ,$changes
}

function Expand-Artifact($Artifact, [string]$Download) {
    $folder = "$Download.unpacked"
    if (Test-Path -LiteralPath $folder) { Invoke-Patiently { Remove-Item -LiteralPath $folder -Recurse -Force } }
    New-Item -ItemType Directory -Path $folder -Force | Out-Null
    $arguments = @('-xf', $Download, '-C', $folder, '--strip-components', [string]$Artifact.strip) + @($Artifact.members | Where-Object { $_ })
    & $tar @arguments
    if ($LASTEXITCODE -ne 0) { throw "$($Artifact.name): tar.exe ended with $LASTEXITCODE" }
    foreach ($file in @($Artifact.provides | Where-Object { $_ })) {
        if (-not (Test-Path -LiteralPath ($folder + $file.Substring($Artifact.to.Length)))) {
            throw "$($Artifact.name): the archive $($Artifact.url) holds no $file"
        }
    }
    $folder
}

# Beside its place first: a copy that is cut short is neither a program nor somebody's file, and takes the rights of the
# folder. A program that runs cannot be written over, but renamed. A scanner may hold either file for a moment.
function Move-Program([string]$From, [string]$To) {
    Copy-Item -LiteralPath $From -Destination "$To.k8swin-new" -Force
    foreach ($attempt in 1..20) {
        try {
            Move-Item -LiteralPath "$To.k8swin-new" -Destination $To -Force
            break
        } catch {
            $reason = $_.Exception.Message
        }
        $aside = "$To.k8swin-old-$([guid]::NewGuid().ToString('N').Substring(0, 8))"
        try {
            if (Test-Path -LiteralPath $To) {
                Add-Written $aside (Get-Sha256 $To)
                Move-Item -LiteralPath $To -Destination $aside
            }
            Move-Item -LiteralPath "$To.k8swin-new" -Destination $To
            break
        } catch {
            $reason = $_.Exception.Message
            if ((Test-Path -LiteralPath $aside) -and -not (Test-Path -LiteralPath $To)) { Move-Item -LiteralPath $aside -Destination $To }
        }
        if ($attempt -eq 20) { throw "$To could not be replaced, another program holds it: $reason" }
        Start-Sleep -Milliseconds 500
    }
    # Those that have ended since; the others are told of in the record of what was written from here.
    Remove-Item -Path "$To.k8swin-old-*" -Force -ErrorAction SilentlyContinue
}

function Install-Change($Changes) {
    foreach ($change in $Changes) {
        Save-Found $change.to
        $folder = [System.IO.Path]::GetDirectoryName($change.to)
        if (-not (Test-Path -LiteralPath $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
        Add-Written $change.to (Get-Sha256 $change.from)
        Move-Program $change.from $change.to
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
        $ready = Expand-Artifact $artifact $download
    } else {
        if ((Test-Path -Path $artifact.to) -and (Get-Hash $artifact.to $artifact.algorithm) -eq $hash) { continue }
        Receive-Artifact $artifact $hash $download
        $ready = $download
    }
    $changes = Get-Change $artifact $ready
    if ($changes.Count -gt 0) {
        $users = @(Get-User $artifact | Select-Object -Unique)
        try {
            # With -Force, so that those that cannot run without it stop too.
            foreach ($name in $users) { Stop-Service -Name $name -Force }
            Install-Change $changes
        } finally {
            Start-User $users
        }
    }
    if ($artifact.unpack) {
        Invoke-Patiently { Remove-Item -LiteralPath $ready -Recurse -Force }
        Set-Content -Path "C:\k8swin\state\$($artifact.name).unpacked" -Value $hash -Encoding ASCII
    }
    Remove-File $download
    "$($artifact.name) is in $($artifact.to)"
}
