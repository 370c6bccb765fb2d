<#
.SYNOPSIS
The scripts that outlive their connections: first the time and their folder, then a line each, with tabs between.
#>
param([string]$JobId = '')
$ErrorActionPreference = 'Stop'
# uses: Get-UnixTime

# The end of a file in base64, whoever writes it; nothing when it is empty or not there.
function Read-End([string]$Path, [int]$Most) {
    if (-not (Test-Path -LiteralPath $Path)) { return '' }
    $shared = [System.IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        $count = [int][Math]::Min([long]$Most, $shared.Length)
        [void]$shared.Seek($shared.Length - $count, 'Begin')
        $bytes = New-Object byte[] $count
        $got = $shared.Read($bytes, 0, $count)
    } finally {
        $shared.Dispose()
    }
    [Convert]::ToBase64String($bytes, 0, $got)
}

$jobs = "$env:ProgramData\k8swin\jobs"
"now`t$(Get-UnixTime)`t$jobs"
if (-not (Test-Path -LiteralPath $jobs)) { exit 0 }
$lines = $null
foreach ($item in Get-ChildItem -LiteralPath $jobs -Force) {
    $folder = $item.FullName
    if (($JobId -and $item.Name -ne $JobId) -or -not (Test-Path -LiteralPath "$folder\told")) { continue }
    $told = [System.IO.File]::ReadAllText("$folder\told").Trim()
    $state = 'gone'
    $code = '-'
    $ended = '-'
    # How it ended is looked for before and after its processes: it may come about in between.
    foreach ($look in 1, 2) {
        if (Test-Path -LiteralPath "$folder\rc") {
            $state = 'ended'
            $code = [System.IO.File]::ReadAllText("$folder\rc").Trim()
            $ended = Get-UnixTime ([System.IO.File]::GetLastWriteTimeUtc("$folder\rc"))
            break
        }
        if ($look -eq 2) { break }
        if ($null -eq $lines) { $lines = @(Get-CimInstance -ClassName Win32_Process | ForEach-Object { "$($_.CommandLine)" }) }
        if (@($lines | Where-Object { $_.Contains("$folder\run.cmd") }).Count) {
            $state = 'running'
            break
        }
    }
    $sizes = @('stdout', 'stderr' | ForEach-Object { if (Test-Path -LiteralPath "$folder\$_") { (Get-Item -LiteralPath "$folder\$_").Length } else { 0 } })
    $last = Read-End "$folder\stdout" 2000
    if (-not $last) { $last = Read-End "$folder\stderr" 2000 }
    $toldText = [Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($told))
    "job`t$($item.Name)`t$state`t$code`t$([System.IO.File]::ReadAllText("$folder\started").Trim())`t$ended`t$($sizes[0])`t$($sizes[1])`t$toldText`t$last"
}
