"""What every Windows Server has and the lab has not: it is refused by name, instead of being called unknown.

A command or program that is taken out of the lab gets its name here, and one that is added loses it.
"""

CMDLETS = """
Get-MpThreat Get-MpThreatCatalog Get-MpThreatDetection Remove-MpThreat Start-MpScan Start-MpWDOScan Update-MpSignature
Add-AppxProvisionedPackage Add-WindowsCapability Add-WindowsDriver Add-WindowsImage Add-WindowsPackage
Clear-WindowsCorruptMountPoint Dismount-WindowsImage Expand-WindowsCustomDataImage Expand-WindowsImage
Export-WindowsDriver Export-WindowsImage Get-AppxProvisionedPackage Get-WIMBootEntry Get-WindowsCapability
Get-WindowsDriver Get-WindowsEdition Get-WindowsImage Get-WindowsImageContent Get-WindowsPackage Mount-WindowsImage
New-WindowsCustomImage New-WindowsImage Optimize-WindowsImage Remove-AppxProvisionedPackage Remove-WindowsCapability
Remove-WindowsDriver Remove-WindowsImage Remove-WindowsPackage Repair-WindowsImage Save-WindowsImage
Set-AppXProvisionedDataFile Set-WindowsEdition Set-WindowsProductKey Split-WindowsImage Update-WIMBootEntry
Use-WindowsUnattend
Add-DnsClientNrptRule Get-DnsClient Get-DnsClientCache Get-DnsClientGlobalSetting Get-DnsClientNrptGlobal
Get-DnsClientNrptPolicy Get-DnsClientNrptRule Register-DnsClient Remove-DnsClientNrptRule Set-DnsClient
Set-DnsClientGlobalSetting Set-DnsClientNrptGlobal Set-DnsClientNrptRule
Disable-NetAdapterBinding Disable-NetAdapterChecksumOffload Disable-NetAdapterEncapsulatedPacketTaskOffload
Disable-NetAdapterIPsecOffload Disable-NetAdapterLso Disable-NetAdapterPacketDirect Disable-NetAdapterPowerManagement
Disable-NetAdapterQos Disable-NetAdapterRdma Disable-NetAdapterRsc Disable-NetAdapterRss Disable-NetAdapterSriov
Disable-NetAdapterVmq Enable-NetAdapterBinding Enable-NetAdapterChecksumOffload
Enable-NetAdapterEncapsulatedPacketTaskOffload Enable-NetAdapterIPsecOffload Enable-NetAdapterLso
Enable-NetAdapterPacketDirect Enable-NetAdapterPowerManagement Enable-NetAdapterQos Enable-NetAdapterRdma
Enable-NetAdapterRsc Enable-NetAdapterRss Enable-NetAdapterSriov Enable-NetAdapterVmq Get-NetAdapterAdvancedProperty
Get-NetAdapterBinding Get-NetAdapterChecksumOffload Get-NetAdapterEncapsulatedPacketTaskOffload
Get-NetAdapterHardwareInfo Get-NetAdapterIPsecOffload Get-NetAdapterLso Get-NetAdapterPacketDirect
Get-NetAdapterPowerManagement Get-NetAdapterQos Get-NetAdapterRdma Get-NetAdapterRsc Get-NetAdapterRss
Get-NetAdapterSriov Get-NetAdapterSriovVf Get-NetAdapterStatistics Get-NetAdapterVPort Get-NetAdapterVmq
Get-NetAdapterVmqQueue New-NetAdapterAdvancedProperty Remove-NetAdapterAdvancedProperty
Reset-NetAdapterAdvancedProperty Set-NetAdapter Set-NetAdapterAdvancedProperty Set-NetAdapterBinding
Set-NetAdapterChecksumOffload Set-NetAdapterEncapsulatedPacketTaskOffload Set-NetAdapterIPsecOffload Set-NetAdapterLso
Set-NetAdapterPacketDirect Set-NetAdapterPowerManagement Set-NetAdapterQos Set-NetAdapterRdma Set-NetAdapterRsc
Set-NetAdapterRss Set-NetAdapterSriov Set-NetAdapterVmq
Add-NetNatExternalAddress Add-NetNatStaticMapping Get-NetNat Get-NetNatExternalAddress Get-NetNatGlobal
Get-NetNatSession Get-NetNatStaticMapping New-NetNat Remove-NetNat Remove-NetNatExternalAddress
Remove-NetNatStaticMapping Set-NetNat Set-NetNatGlobal
Copy-NetFirewallRule Copy-NetIPsecMainModeCryptoSet Copy-NetIPsecMainModeRule Copy-NetIPsecPhase1AuthSet
Copy-NetIPsecPhase2AuthSet Copy-NetIPsecQuickModeCryptoSet Copy-NetIPsecRule Disable-NetIPsecMainModeRule
Disable-NetIPsecRule Enable-NetIPsecMainModeRule Enable-NetIPsecRule Find-NetIPsecRule Get-DAPolicyChange
Get-NetFirewallInterfaceFilter Get-NetFirewallInterfaceTypeFilter Get-NetFirewallSecurityFilter
Get-NetFirewallServiceFilter Get-NetFirewallSetting Get-NetIPsecDospSetting Get-NetIPsecMainModeCryptoSet
Get-NetIPsecMainModeRule Get-NetIPsecMainModeSA Get-NetIPsecPhase1AuthSet Get-NetIPsecPhase2AuthSet
Get-NetIPsecQuickModeCryptoSet Get-NetIPsecQuickModeSA Get-NetIPsecRule New-NetIPsecAuthProposal
New-NetIPsecDospSetting New-NetIPsecMainModeCryptoProposal New-NetIPsecMainModeCryptoSet New-NetIPsecMainModeRule
New-NetIPsecPhase1AuthSet New-NetIPsecPhase2AuthSet New-NetIPsecQuickModeCryptoProposal New-NetIPsecQuickModeCryptoSet
New-NetIPsecRule Open-NetGPO Remove-NetIPsecDospSetting Remove-NetIPsecMainModeCryptoSet Remove-NetIPsecMainModeRule
Remove-NetIPsecMainModeSA Remove-NetIPsecPhase1AuthSet Remove-NetIPsecPhase2AuthSet Remove-NetIPsecQuickModeCryptoSet
Remove-NetIPsecQuickModeSA Remove-NetIPsecRule Rename-NetFirewallRule Rename-NetIPsecMainModeCryptoSet
Rename-NetIPsecMainModeRule Rename-NetIPsecPhase1AuthSet Rename-NetIPsecPhase2AuthSet
Rename-NetIPsecQuickModeCryptoSet Rename-NetIPsecRule Save-NetGPO Set-NetFirewallAddressFilter
Set-NetFirewallApplicationFilter Set-NetFirewallInterfaceFilter Set-NetFirewallInterfaceTypeFilter
Set-NetFirewallPortFilter Set-NetFirewallSecurityFilter Set-NetFirewallServiceFilter Set-NetFirewallSetting
Set-NetIPsecDospSetting Set-NetIPsecMainModeCryptoSet Set-NetIPsecMainModeRule Set-NetIPsecPhase1AuthSet
Set-NetIPsecPhase2AuthSet Set-NetIPsecQuickModeCryptoSet Set-NetIPsecRule Show-NetFirewallRule Show-NetIPsecRule
Sync-NetIPsecRule Update-NetIPsecRule
Find-NetRoute Get-NetCompartment Get-NetIPv4Protocol Get-NetIPv6Protocol Get-NetNeighbor Get-NetOffloadGlobalSetting
Get-NetPrefixPolicy Get-NetTCPSetting Get-NetTransportFilter Get-NetUDPEndpoint Get-NetUDPSetting New-NetNeighbor
New-NetTransportFilter Remove-NetNeighbor Remove-NetTransportFilter Set-NetIPAddress Set-NetIPv4Protocol
Set-NetIPv6Protocol Set-NetNeighbor Set-NetOffloadGlobalSetting Set-NetRoute Set-NetTCPSetting Set-NetUDPSetting
Add-CertificateEnrollmentPolicyServer Export-Certificate Export-PfxCertificate Get-Certificate
Get-CertificateAutoEnrollmentPolicy Get-CertificateEnrollmentPolicyServer Get-CertificateNotificationTask Get-PfxData
Import-Certificate Import-PfxCertificate New-CertificateNotificationTask New-SelfSignedCertificate
Remove-CertificateEnrollmentPolicyServer Remove-CertificateNotificationTask Set-CertificateAutoEnrollmentPolicy
Switch-Certificate Test-Certificate
Export-ScheduledTask Get-ClusteredScheduledTask Register-ClusteredScheduledTask Set-ClusteredScheduledTask
Set-ScheduledTask Unregister-ClusteredScheduledTask
Add-BitsFile Complete-BitsTransfer Get-BitsTransfer Remove-BitsTransfer Resume-BitsTransfer Set-BitsTransfer
Suspend-BitsTransfer
Add-LocalGroupMember Disable-LocalUser Enable-LocalUser Get-LocalGroup Get-LocalGroupMember Get-LocalUser
New-LocalGroup New-LocalUser Remove-LocalGroup Remove-LocalGroupMember Remove-LocalUser Rename-LocalGroup
Rename-LocalUser Set-LocalGroup Set-LocalUser
Get-SmbConnection Get-SmbMapping Get-SmbServerConfiguration Get-SmbSession Get-SmbShare New-SmbMapping New-SmbShare
Remove-SmbMapping Remove-SmbShare Set-SmbServerConfiguration Set-SmbShare
Clear-Disk Format-Volume Get-Disk Get-Partition Get-PhysicalDisk Initialize-Disk Mount-DiskImage New-Partition
New-Volume Optimize-Volume Repair-Volume Resize-Partition Set-Disk Set-Partition Update-HostStorageCache
Get-WindowsErrorReporting Enable-WindowsErrorReporting Get-PnpDevice Get-WindowsUpdateLog Get-NetLbfoTeam
New-NetLbfoTeam Get-NetEventSession Get-ServerBpaModel Get-BpaModel Install-Module Find-Module Install-Package
Install-PackageProvider Get-Package Get-PackageProvider Save-Module Update-Module Uninstall-Module
Register-PSRepository Get-PSRepository Set-PSRepository Invoke-Pester Start-DscConfiguration Get-DscConfiguration
Get-DscResource
"""
"""Of modules that a server brings along."""

PROGRAMS = """
arp attrib auditpol bcdboot bcdedit bitsadmin cacls chkdsk choice cipher clip cmdkey compact cscript diskpart
diskshadow driverquery eventcreate expand fc forfiles fsutil getmac gpresult gpupdate label logman logoff makecab
manage-bde mountvol msiexec msinfo32 nbtstat net net1 netstat nltest notepad openfiles pathping pktmon pnputil
powercfg print query quser qwinsta reagentc recover regsvr32 replace robocopy rundll32 schtasks secedit setx sfc sort
subst tracert typeperf vssadmin waitfor wbadmin wevtutil wmic wscript wusa xcopy
"""
"""In System32; running one is refused, its file is there."""
