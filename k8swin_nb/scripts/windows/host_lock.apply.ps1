# Take the lock of this host, and hold it until this process ends: with its shell, when nobody asks the shell any more.
param(
    [Parameter(Mandatory = $true)] [string] $LockHolder,
    [string] $LockLost = ''
)
$ErrorActionPreference = 'Stop'
# uses: Remove-File

$folder = Join-Path $env:ProgramData 'k8swin'
$place = Join-Path $folder 'lock'
New-Item -ItemType Directory -Force -Path $folder | Out-Null

# Others may read it, and nobody else may open it for writing: Windows lets go when this process ends, however that comes about.
# One that $LockLost held, whose connection broke, stays until it is broken: no wait ends it.
$file = $null
$found = ''
for ($attempt = 1; -not $file -and $attempt -le 10; $attempt++) {
    try { $file = [System.IO.File]::Open($place, 'OpenOrCreate', 'ReadWrite', 'Read') }
    catch [System.IO.IOException] {
        if ($LockLost) {
            try {
                $reader = New-Object System.IO.StreamReader ([System.IO.File]::Open($place, 'Open', 'Read', 'ReadWrite'))
                $found = $reader.ReadToEnd().Trim()
                $reader.Dispose()
            } catch [System.IO.IOException] { }
            if ($found -ceq $LockLost) { break }
        }
        Start-Sleep -Milliseconds 300
    }
}
if (-not $file) {
    'held'
    $reader = New-Object System.IO.StreamReader ([System.IO.File]::Open($place, 'Open', 'Read', 'ReadWrite'))
    $reader.ReadToEnd().Trim()
    $reader.Dispose()
    exit 75
}
Remove-File "$place.broken"
$bytes = (New-Object System.Text.UTF8Encoding $false).GetBytes("$LockHolder`n")
$file.SetLength(0)
$file.Write($bytes, 0, $bytes.Length)
$file.Flush()
'taken'
# For the record, once the lock is there: it tells of a reboot. One that cannot say it keeps its lock.
try {
    $booted = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime()
    'booted ' + $booted.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
} catch { }
while (-not (Test-Path -LiteralPath "$place.broken")) { Start-Sleep -Milliseconds 500 }
$breaker = ''
try { $breaker = [System.IO.File]::ReadAllText("$place.broken").Trim() } catch { }
$file.SetLength(0)
$file.Dispose()
Remove-File "$place.broken"
'broken'
$breaker
exit 76
