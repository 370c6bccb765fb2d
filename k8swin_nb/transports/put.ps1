# Write base64 from standard input to a file: beside its place first, then checked, then moved there.
param(
    [Parameter(Mandatory = $true)][string]$Path,
    [Parameter(Mandatory = $true)][string]$Sha256,
    [Parameter(ValueFromPipeline = $true)][string]$Stdin
)
$ErrorActionPreference = 'Stop'

# Move-Item would put the file into the folder and say that all is well.
if (Test-Path -LiteralPath $Path -PathType Container) { throw "$Path is a folder" }
$text = $Stdin.Trim()
if ($text -eq '=') { $text = '' }
# A name that nobody else has: beside it may lie a file of somebody's.
$new = "$Path.k8swin-$([guid]::NewGuid().ToString('N'))"
[System.IO.File]::WriteAllBytes($new, [System.Convert]::FromBase64String($text))
try {
    $found = (Get-FileHash -LiteralPath $new -Algorithm SHA256).Hash
    if ($found -ne $Sha256) { throw "SHA-256 is $found, expected $Sha256" }
    # A scanner looks at each new file for a moment, in which nobody can move or delete it.
    foreach ($try in 1..20) {
        try {
            Move-Item -LiteralPath $new -Destination $Path -Force
            break
        } catch {
            if ($try -eq 20) { throw }
        }
        Start-Sleep -Milliseconds 250
    }
} finally {
    foreach ($try in 1..20) {
        if (-not (Test-Path -LiteralPath $new)) { break }
        Remove-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue
        if (Test-Path -LiteralPath $new) { Start-Sleep -Milliseconds 250 }
    }
}
