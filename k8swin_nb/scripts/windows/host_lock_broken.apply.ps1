# Break the lock of a host, if it is still held by the one who was seen.
param(
    [Parameter(Mandatory = $true)] [string] $LockHolder,
    [Parameter(Mandatory = $true)] [string] $LockBreaker
)
$ErrorActionPreference = 'Stop'
# uses: Remove-File

$place = Join-Path $env:ProgramData 'k8swin\lock'
$reader = New-Object System.IO.StreamReader ([System.IO.File]::Open($place, 'Open', 'Read', 'ReadWrite'))
$found = $reader.ReadToEnd().Trim()
$reader.Dispose()
if ($found -cne $LockHolder) {
    [Console]::Error.WriteLine("the lock has changed hands meanwhile: $found")
    exit 1
}
# The holder looks for this file every few seconds, lets go, and takes it away.
[System.IO.File]::WriteAllText("$place.broken", $LockBreaker)
$until = (Get-Date).AddSeconds(15)
while ((Test-Path -LiteralPath "$place.broken") -and (Get-Date) -lt $until) { Start-Sleep -Milliseconds 250 }
if (Test-Path -LiteralPath "$place.broken") {
    Remove-File "$place.broken"
    [Console]::Error.WriteLine('the process that holds the lock does not answer; it ends with its shell, within three minutes')
    exit 1
}
'the lock is free'
