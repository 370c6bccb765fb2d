# End the processes that carry a tag on their command line, with their children.
param(
    [Parameter(Mandatory = $true)] [string] $Tag
)
# A process that has ended meanwhile is no failure, and what taskkill says of it is no error.
$ErrorActionPreference = 'Continue'

foreach ($process in Get-CimInstance -ClassName Win32_Process) {
    if ($process.ProcessId -ne $PID -and "$($process.CommandLine)".Contains("'$Tag'")) {
        taskkill.exe /T /F /PID $process.ProcessId 2>&1 | Out-Null
    }
}
exit 0
