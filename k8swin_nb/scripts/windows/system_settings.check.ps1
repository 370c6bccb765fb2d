<#
.SYNOPSIS
Are node ports outside the range of outgoing connections, and does WinRM wait for Hyper-V's network?
#>
param()
$ErrorActionPreference = 'Stop'

foreach ($protocol in 'tcp', 'udp') {
    $shown = & netsh.exe interface ipv4 show dynamicportrange $protocol | Out-String
    if ($LASTEXITCODE -ne 0) { throw "netsh.exe ended with $LASTEXITCODE" }
    # Its words are in the server's language; the two numbers come last.
    $numbers = @([regex]::Matches($shown, ':\s*(\d+)') | ForEach-Object { [int]$_.Groups[1].Value })
    if ($numbers.Count -lt 2) { throw "netsh.exe showed no range: $($shown.Trim())" }
    $first = $numbers[-2]
    $last = $first + $numbers[-1] - 1
    if ($first -le 32767 -and $last -ge 30000) {
        "outgoing $protocol connections use the ports $first to $last, which are node ports in part"
        exit 10
    }
}
if ((Get-WindowsFeature -Name Hyper-V).InstallState -eq 'Installed') {
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='WinRM'"
    if ($service.StartMode -eq 'Auto' -and -not $service.DelayedAutoStart) {
        'Hyper-V changes the network while Windows starts, and WinRM does not wait for it'
        exit 10
    }
}
'node ports are free, and WinRM starts in its turn'
