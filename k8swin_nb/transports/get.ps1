# Print a file's SHA-256, then its content in base64.
param([Parameter(Mandatory = $true)][string]$Path)
$ErrorActionPreference = 'Stop'

# A log is open for whoever writes it: Windows opens it a second time only for one who lets others write and delete.
$file = [System.IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
try {
    $bytes = New-Object byte[] $file.Length
    $at = 0
    # One read may bring less than is asked for.
    while ($at -lt $bytes.Length -and ($got = $file.Read($bytes, $at, $bytes.Length - $at)) -gt 0) { $at += $got }
} finally {
    $file.Dispose()
}
if ($at -lt $bytes.Length) { throw "$Path became shorter while it was read" }
[System.BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($bytes)).Replace('-', '')
[System.Convert]::ToBase64String($bytes)
