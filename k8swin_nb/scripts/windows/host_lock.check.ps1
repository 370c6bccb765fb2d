# Tell who holds the lock of this host: `held` or `free`, then what the holder wrote down.
$ErrorActionPreference = 'Stop'

$place = Join-Path $env:ProgramData 'k8swin\lock'
if (-not (Test-Path -LiteralPath $place)) {
    'free'
    exit 0
}
try {
    $file = [System.IO.File]::Open($place, 'Open', 'Read', 'Read')
    'free'
} catch [System.IO.IOException] {
    $file = [System.IO.File]::Open($place, 'Open', 'Read', 'ReadWrite')
    'held'
}
$reader = New-Object System.IO.StreamReader $file
$reader.ReadToEnd().Trim()
$reader.Dispose()
