<#
.SYNOPSIS
Print a part of a file in base64.
#>
param(
    [Parameter(Mandatory = $true)][string]$File,
    [Parameter(Mandatory = $true)][string]$Offset,
    [Parameter(Mandatory = $true)][string]$Length
)
$ErrorActionPreference = 'Stop'

# A log is open for whoever writes it: Windows opens it a second time only for one who lets others write and delete.
$stream = [System.IO.File]::Open($File, 'Open', 'Read', 'ReadWrite, Delete')
try {
    [void]$stream.Seek([long]$Offset, 'Begin')
    $bytes = New-Object byte[] ([int][Math]::Max(0, [Math]::Min([long]$Length, $stream.Length - [long]$Offset)))
    $at = 0
    # One read may bring less than is asked for.
    while ($at -lt $bytes.Length -and ($got = $stream.Read($bytes, $at, $bytes.Length - $at)) -gt 0) { $at += $got }
} finally {
    $stream.Dispose()
}
[System.Convert]::ToBase64String($bytes, 0, $at)
