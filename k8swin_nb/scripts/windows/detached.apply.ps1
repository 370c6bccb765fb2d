<#
.SYNOPSIS
Start a script that outlives this connection; standard input is the document for its PowerShell.
.DESCRIPTION
What a remote shell starts is in that shell's job object and ends with it. A process that WMI makes is in none, and runs as
the same account. Its folder holds what it gets, what it prints and how it ends.
#>
param(
    [Parameter(Mandatory = $true)][string]$JobId,
    [Parameter(Mandatory = $true)][string]$JobTold,
    [Parameter(Mandatory = $true)][string]$JobCommand,
    [Parameter(ValueFromPipeline = $true)][string]$Stdin
)
$ErrorActionPreference = 'Stop'
# uses: Get-UnixTime

function Get-Sid([string]$Account) {
    (New-Object System.Security.Principal.NTAccount $Account).Translate([System.Security.Principal.SecurityIdentifier]).Value
}

$jobs = "$env:ProgramData\k8swin\jobs"
$folder = "$jobs\$JobId"
if (Test-Path -LiteralPath $folder) { throw "$folder is there already" }
$me = [System.Security.Principal.WindowsIdentity]::GetCurrent().Name
$trusted = @('S-1-5-18', 'S-1-5-32-544', (Get-Sid $me))
# Everybody may make folders there: whoever owns one could put his own script in the place of this one.
foreach ($place in "$env:ProgramData\k8swin", $jobs) {
    if (-not (Test-Path -LiteralPath $place)) { continue }
    $owner = (Get-Acl -LiteralPath $place).Owner
    if ($trusted -notcontains (Get-Sid $owner)) { throw "$place belongs to $owner, expected administrators or ${me}: move it away" }
}
New-Item -ItemType Directory -Path $folder -Force | Out-Null
# Secrets may be among what the script gets and prints: the folder is for the system, administrators and this account.
& icacls.exe $folder /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' "${me}:(OI)(CI)F" | Out-Null
if ($LASTEXITCODE -ne 0) { throw "icacls.exe ended with $LASTEXITCODE" }
$utf8 = New-Object System.Text.UTF8Encoding($false)
[System.IO.File]::WriteAllText("$folder\told", $JobTold, $utf8)
[System.IO.File]::WriteAllText("$folder\request", $Stdin.Trim() + "`r`n", $utf8)
[System.IO.File]::WriteAllText("$folder\started", [string](Get-UnixTime), $utf8)
# The exit code is expanded when its line is read, which is after the program has ended.
$lines = @(
    '@echo off'
    "$JobCommand < `"$folder\request`" > `"$folder\stdout`" 2> `"$folder\stderr`""
    "echo %ERRORLEVEL%> `"$folder\rc.new`""
    "del `"$folder\request`""
    "move /y `"$folder\rc.new`" `"$folder\rc`""
)
[System.IO.File]::WriteAllText("$folder\run.cmd", ($lines -join "`r`n") + "`r`n", $utf8)
$made = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{
    CommandLine      = "cmd.exe /c `"$folder\run.cmd`""
    CurrentDirectory = $env:SystemRoot
}
if ($made.ReturnValue -ne 0) { throw "Win32_Process.Create returned $($made.ReturnValue): the script was not started" }
$folder
