# List the processes of our scripts on this host, a line each: PID TAG ROLE START USER COMMAND.
$ErrorActionPreference = 'Stop'

$epoch = New-Object System.DateTime 1970, 1, 1, 0, 0, 0, ([System.DateTimeKind]::Utc)
foreach ($process in Get-CimInstance -ClassName Win32_Process -Filter "Name = 'powershell.exe'") {
    if ($process.ProcessId -eq $PID -or $process.CommandLine -notmatch "'(k8swin-[A-Za-z0-9._-]+)'") { continue }
    $tag = $Matches[1]
    $start = [long][Math]::Floor(($process.CreationDate.ToUniversalTime() - $epoch).TotalSeconds)
    "$($process.ProcessId) $tag script $start - powershell.exe"
}
