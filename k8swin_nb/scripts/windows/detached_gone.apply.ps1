<#
.SYNOPSIS
Remove what is kept of scripts that have ended; one that runs stays.
#>
param([Parameter(Mandatory = $true)][string]$JobIds)
$ErrorActionPreference = 'Stop'
# uses: Invoke-Patiently

$lines = @(Get-CimInstance -ClassName Win32_Process | ForEach-Object { "$($_.CommandLine)" })
foreach ($job in $JobIds -split ' ') {
    $folder = "$env:ProgramData\k8swin\jobs\$job"
    if ($job -notmatch '^[A-Za-z0-9][A-Za-z0-9._-]*$' -or -not (Test-Path -LiteralPath "$folder\told")) { continue }
    if (-not (Test-Path -LiteralPath "$folder\rc") -and @($lines | Where-Object { $_.Contains("$folder\run.cmd") }).Count) {
        [Console]::Error.WriteLine("$job still runs, and stays")
        continue
    }
    Invoke-Patiently { if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force } }
    $job
}
