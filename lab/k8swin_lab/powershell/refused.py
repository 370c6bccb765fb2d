"""Commands that every Windows PowerShell 5.1 has and the lab has not: they are refused by name.

Without this list the engine would call them unknown, which is what a real machine never says of them.
A command that is taken out of the lab gets its name here, and one that is added loses it.
"""

REFUSED = """
Format-Custom Format-Wide Get-Credential Get-Host Out-GridView Out-Printer Set-Date Set-PSDebug Start-Job
ConvertFrom-SecureString Get-Verb Add-History Add-PSSnapin Clear-History Connect-PSSession Debug-Job Disable-PSRemoting Disable-PSSessionConfiguration
Disconnect-PSSession Enable-PSRemoting Enable-PSSessionConfiguration Enter-PSHostProcess Enter-PSSession
Exit-PSHostProcess Exit-PSSession Export-Console Get-Help Get-History Get-Job Get-PSHostProcessInfo Get-PSSession
Get-PSSessionCapability Get-PSSessionConfiguration Get-PSSnapin Invoke-History New-ModuleManifest
New-PSRoleCapabilityFile New-PSSession New-PSSessionConfigurationFile New-PSSessionOption New-PSTransportOption
Receive-Job Receive-PSSession Register-ArgumentCompleter Register-PSSessionConfiguration Remove-Job Remove-PSSession
Remove-PSSnapin Resume-Job Save-Help Set-PSSessionConfiguration Stop-Job Suspend-Job Test-ModuleManifest
Test-PSSessionConfigurationFile Unregister-PSSessionConfiguration Update-Help Wait-Job
Add-Computer Checkpoint-Computer Clear-EventLog Clear-ItemProperty Clear-RecycleBin Complete-Transaction
Copy-ItemProperty Debug-Process Disable-ComputerRestore Enable-ComputerRestore Get-Clipboard Get-ComputerRestorePoint
Get-ControlPanelItem Get-PSProvider Get-Transaction Invoke-Item Invoke-WmiMethod Limit-EventLog Move-ItemProperty
New-EventLog New-PSDrive New-WebServiceProxy Register-WmiEvent Remove-Computer Remove-EventLog Remove-PSDrive
Remove-WmiObject Reset-ComputerMachinePassword Restore-Computer Resume-Service Set-Clipboard Set-TimeZone
Set-WmiInstance Show-ControlPanelItem Show-EventLog Start-Transaction Suspend-Service Test-ComputerSecureChannel
Undo-Transaction Use-Transaction Write-EventLog
Add-Type Convert-String ConvertFrom-SddlString ConvertFrom-String ConvertTo-Html ConvertTo-Xml Debug-Runspace
Disable-PSBreakpoint Disable-RunspaceDebug Enable-PSBreakpoint Enable-RunspaceDebug Export-Alias Export-Clixml
Export-FormatData Export-PSSession Format-Hex Get-Event Get-EventSubscriber Get-FormatData Get-PSBreakpoint
Get-PSCallStack Get-Runspace Get-RunspaceDebug Get-TraceSource Get-TypeData Import-Alias Import-Clixml
Import-LocalizedData Import-PSSession Import-PowerShellDataFile New-Event Register-EngineEvent Register-ObjectEvent
Remove-Event Remove-PSBreakpoint Remove-TypeData Select-Xml Send-MailMessage Set-PSBreakpoint Set-TraceSource
Show-Command Trace-Command Unblock-File Unregister-Event Update-FormatData Update-List Update-TypeData Wait-Debugger
Wait-Event
Get-AuthenticodeSignature Get-CmsMessage Get-ExecutionPolicy Get-PfxCertificate New-FileCatalog Protect-CmsMessage
Set-AuthenticodeSignature Set-ExecutionPolicy Test-FileCatalog Unprotect-CmsMessage
Export-Counter Get-Counter Import-Counter New-WinEvent
Export-BinaryMiLog Get-CimAssociatedInstance Get-CimClass Get-CimSession Import-BinaryMiLog New-CimInstance
New-CimSession New-CimSessionOption Register-CimIndicationEvent Remove-CimInstance Remove-CimSession Set-CimInstance
Connect-WSMan Disable-WSManCredSSP Disconnect-WSMan Enable-WSManCredSSP Get-WSManCredSSP Get-WSManInstance
Invoke-WSManAction New-WSManInstance New-WSManSessionOption Remove-WSManInstance Set-WSManInstance
Set-WSManQuickConfig Test-WSMan
"""
