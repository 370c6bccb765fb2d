<#
.SYNOPSIS
Let this server answer WinRM over https on 127.0.0.1 to a new administrator, and say how into a file of variables.
.DESCRIPTION
For a machine that is thrown away afterwards. The password is random, is told to nobody but the variables of the job,
and is masked in its log.
#>
param([Parameter(Mandatory = $true)][string]$EnvironmentFile)
$ErrorActionPreference = 'Stop'

$user = 'k8swin-test'
$bytes = New-Object byte[] 24
$random = [System.Security.Cryptography.RandomNumberGenerator]::Create()
$random.GetBytes($bytes)
$random.Dispose()
# Four kinds of characters, whatever chance says: the policy wants three.
$password = [Convert]::ToBase64String($bytes) + 'aA1!'
"::add-mask::$password"
$secure = ConvertTo-SecureString -String $password -AsPlainText -Force
New-LocalUser -Name $user -Password $secure -AccountNeverExpires -PasswordNeverExpires | Out-Null
# By its SID: the group has another name in another language.
Add-LocalGroupMember -SID 'S-1-5-32-544' -Member $user

# An administrator who is not the built-in one has a filtered token over the network without this.
$policies = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
New-ItemProperty -Path $policies -Name LocalAccountTokenFilterPolicy -Value 1 -PropertyType DWord -Force | Out-Null

Set-Service -Name WinRM -StartupType Automatic
Start-Service -Name WinRM
# Oid 2.5.29.17: the names that the certificate is for.
$certificate = New-SelfSignedCertificate -Subject 'CN=k8swin-test' -CertStoreLocation Cert:\LocalMachine\My `
    -TextExtension '2.5.29.17={text}IPAddress=127.0.0.1&DNS=localhost'
$listener = @{ Address = '*'; Transport = 'HTTPS' }
Get-ChildItem -Path WSMan:\localhost\Listener | Where-Object { $_.Keys -contains 'Transport=HTTPS' } |
    ForEach-Object { Remove-Item -Path $_.PSPath -Recurse -Force }
New-WSManInstance -ResourceURI winrm/config/Listener -SelectorSet $listener `
    -ValueSet @{ CertificateThumbprint = $certificate.Thumbprint } | Out-Null

$folder = Split-Path -Parent $EnvironmentFile
$ca = Join-Path $folder 'k8swin-test.pem'
$encoded = [Convert]::ToBase64String($certificate.RawData, [System.Base64FormattingOptions]::InsertLineBreaks)
[System.IO.File]::WriteAllText($ca, "-----BEGIN CERTIFICATE-----`n$encoded`n-----END CERTIFICATE-----`n")
$variables = "WIN_USER=$user`nWIN_PASSWORD=$password`nWIN_CREDENTIAL=env:WIN_PASSWORD`nWIN_CA=$ca`n"
[System.IO.File]::AppendAllText($EnvironmentFile, $variables)
'WinRM answers on https://127.0.0.1:5986'
