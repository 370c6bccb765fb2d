# A cast makes an object of a table; a typed variable, a parameter, an array and -as keep the table.
class Image { [string]$Name; [string] ToString() { return "image $($this.Name)" } }
function Kind([pscustomobject]$Value) { $Value.GetType().Name }
function Kinds([pscustomobject[]]$Values) { $Values | ForEach-Object { $_.GetType().Name } }
$table = @{ a = 1 }
([pscustomobject]$table).GetType().Name
Kind $table
Kind ([pscustomobject]$table)
Kinds $table, $table
[pscustomobject]$typed = @{ b = 2 }
$typed.GetType().Name
($table -as [pscustomobject]).GetType().Name
$labels = @{ 'node-role.kubernetes.io/control-plane' = '' }
function Names([pscustomobject]$Labels) { $Labels.psobject.Properties.Name -contains 'node-role.kubernetes.io/control-plane' }
Names $labels
Names ([pscustomobject]$labels)
$image = [Image]@{ Name = 'x' }
$image -is [pscustomobject]
$image -is [Management.Automation.PSCustomObject]
([pscustomobject]@{}) -is [pscustomobject]
