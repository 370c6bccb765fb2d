# End the processes that carry a tag on their command line, with their children.
param(
    [Parameter(Mandatory = $true)] [string] $Tag
)
# A process that has ended meanwhile is no failure.
$ErrorActionPreference = 'SilentlyContinue'

$all = @(Get-CimInstance -ClassName Win32_Process)
$ending = @($all | Where-Object { $_.ProcessId -ne $PID -and "$($_.CommandLine)".Contains("'$Tag'") })
for ($at = 0; $at -lt $ending.Count; $at++) {
    $parent = $ending[$at]
    $known = @($ending | ForEach-Object { $_.ProcessId })
    # Windows gives numbers again: a child began after its parent.
    $ending += @($all | Where-Object {
            $_.ParentProcessId -eq $parent.ProcessId -and $_.CreationDate -ge $parent.CreationDate -and
            $known -notcontains $_.ProcessId
        })
}
# Parents first, unlike taskkill /T: a script whose program is ended begins with its next command.
foreach ($process in $ending) {
    Stop-Process -Id $process.ProcessId -Force
}
exit 0
