# Write base64 from standard input to a file: beside its place first, then checked, then moved there.
param(
    [Parameter(Mandatory = $true)][string]$Path,
    [Parameter(Mandatory = $true)][string]$Sha256
)
$ErrorActionPreference = 'Stop'

$text = "$input".Trim()
if ($text -eq '=') { $text = '' }
$new = "$Path.k8swin-new"
[System.IO.File]::WriteAllBytes($new, [System.Convert]::FromBase64String($text))
try {
    $found = (Get-FileHash -Path $new -Algorithm SHA256).Hash
    if ($found -ne $Sha256) { throw "SHA-256 is $found, expected $Sha256" }
    Move-Item -Path $new -Destination $Path -Force
} finally {
    if (Test-Path $new) { Remove-Item -Path $new -Force }
}
