<#
.SYNOPSIS
Make the folders, put C:\k on the machine's PATH, and save the network configuration.
.DESCRIPTION
The saved configuration is what the pod network's job restores if Windows loses the address when the
virtual switch takes the adapter over. It is written once, before that happens. What is found on this
server is written down too, before anything is made: a teardown removes everything else, and that stays.
#>
param(
    [Parameter(Mandatory = $true)][string]$Folders,
    [Parameter(Mandatory = $true)][string]$Places,
    [Parameter(Mandatory = $true)][string]$NodeAddress
)
$ErrorActionPreference = 'Stop'
# uses: Get-AdapterConfiguration Get-MachinePath Save-Text Set-MachinePath Test-SavedNetwork

$record = 'C:\k8swin\state\found.json'
if (-not (Test-Path $record)) {
    $there = @(ConvertFrom-Json $Places | ForEach-Object { $_ } | Where-Object { Test-Path -LiteralPath $_.path } | ForEach-Object { $_.path })
    $onPath = @([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';' | Where-Object { $_ -eq 'C:\k' }).Count -gt 0
    $found = [ordered]@{
        places     = $there
        path       = $onPath
        # Variables of the machine that a later step sets.
        kubeconfig = [string][Environment]::GetEnvironmentVariable('KUBECONFIG', 'Machine')
        noProxy    = [string][Environment]::GetEnvironmentVariable('NO_PROXY', 'Machine')
        services   = @('containerd', 'docker', 'kubelet', 'flanneld', 'kube-proxy' | Where-Object { Get-Service -Name $_ -ErrorAction SilentlyContinue })
    }
    if (-not (Test-Path 'C:\k8swin\state')) { New-Item -ItemType Directory -Path 'C:\k8swin\state' -Force | Out-Null }
    # Half a record would be taken for a whole one.
    Save-Text $record ($found | ConvertTo-Json)
}
foreach ($folder in $Folders -split ';') {
    if (-not (Test-Path -Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
}
if (-not (Test-Path 'C:\k8swin\owned')) {
    Set-Content -Path 'C:\k8swin\owned' -Value 'folders, services and networks here belong to k8swin' -Encoding ASCII
}

Set-MachinePath (@(Get-MachinePath | Where-Object { $_ -and $_ -ne 'C:\k' }) + 'C:\k')

if (-not (Test-SavedNetwork)) {
    $address = Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress }
    if (-not $address) { throw "no adapter of this server has the address $NodeAddress" }
    Save-Text 'C:\k8swin\network.json' (Get-AdapterConfiguration $address | ConvertTo-Json)
}
'folders are made, PATH is set, the network configuration is saved'
