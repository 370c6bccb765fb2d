# Script blocks that are delayed per object; unknown parameters of simple functions take their value along
function Rename-It { param([Parameter(ValueFromPipeline = $true)]$Item, [Parameter(ValueFromPipelineByPropertyName = $true)][string]$NewName) process { "$Item -> $NewName" } }
'a', 'b' | Rename-It -NewName { "new-$_" }
function Simple($A) { "A=$A rest=$($args -join ',')" }
Simple -B 2 1
Simple 1 -C -D 5
$extra = @{ A = 1; Z = 2 }
Simple @extra
function Stop-Here { [CmdletBinding()] param([Parameter(ValueFromPipeline = $true)][int]$N) process { $N } }
try { 'x' | Stop-Here -ErrorAction Stop } catch { "refused: $($_.CategoryInfo.Category)" }
function Prefer { $ErrorActionPreference = 'Stop'; try { 1 / 0 } catch { 'caught' }; 'after' }
Prefer
function Who { "$($MyInvocation.MyCommand.Name) as $($MyInvocation.InvocationName)" }
Who
& Who
