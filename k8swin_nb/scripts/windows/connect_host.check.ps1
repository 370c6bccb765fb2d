<#
.SYNOPSIS
Try web requests from this host, and print how each ended.
.DESCRIPTION
Prints a line for each target: curl's exit code, the command, and what was answered, between tabs.
#>
param(
    # ADDRESS:PORT, separated by spaces
    [Parameter(Mandatory = $true)][string]$Targets,
    [int]$ProbeSeconds = 5
)
$ErrorActionPreference = 'Stop'

foreach ($target in ($Targets -split ' ')) {
    $url = "http://$target/hostname"
    # Windows' own: another one on the PATH may take the star for files. Without -S nothing goes to the error stream, which PowerShell would take for an error of its own.
    $answer = & "$env:SystemRoot\System32\curl.exe" -fs --noproxy '*' --max-time $ProbeSeconds $url
    "$LASTEXITCODE`tcurl.exe -fs --noproxy * --max-time $ProbeSeconds $url`t$answer"
}
exit 0
