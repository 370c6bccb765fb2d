<#
.SYNOPSIS
Write one part of a new file beside its place: base64 on standard input, at its offset; at -1, take the file away.
#>
param(
    [Parameter(Mandatory = $true)][string]$File,
    [Parameter(Mandatory = $true)][string]$Part,
    [Parameter(Mandatory = $true)][string]$Offset,
    [Parameter(ValueFromPipeline = $true)][string]$Stdin
)
$ErrorActionPreference = 'Stop'
# uses: Remove-File

if ($Offset -eq '-1') {
    Remove-File "$File.$Part"
    exit 0
}
if (Test-Path -LiteralPath $File -PathType Container) { throw "$File is a folder" }
if ($Offset -eq '0' -and (Test-Path -LiteralPath $File) -and (Get-Item -LiteralPath $File -Force).IsReadOnly) {
    throw "$File is read-only, and stays as it is"
}
$root = [System.IO.Path]::GetPathRoot($File)
if (-not (Test-Path -LiteralPath $root)) { throw "there is no $root" }
$folder = [System.IO.Path]::GetDirectoryName($File)
if ($folder -and -not (Test-Path -LiteralPath $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
if ($folder -and -not (Test-Path -LiteralPath $folder -PathType Container)) { throw "$folder is no folder" }
$text = $Stdin.Trim()
if ($text -eq '=') { $text = '' }
$bytes = [System.Convert]::FromBase64String($text)
$stream = [System.IO.File]::Open("$File.$Part", 'OpenOrCreate', 'Write', 'None')
try {
    # A part that was cut short and comes again leaves nothing behind it.
    $stream.SetLength([long]$Offset)
    [void]$stream.Seek([long]$Offset, 'Begin')
    $stream.Write($bytes, 0, $bytes.Length)
} finally {
    $stream.Dispose()
}
