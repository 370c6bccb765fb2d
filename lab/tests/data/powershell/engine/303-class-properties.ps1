# Properties of classes: what is unset, what refuses a value, hidden ones, methods that do not convert
class Node { [int]$Id = 1; [ValidateRange(1, 5)][int]$Weight = 2; [string]$Name; hidden [int]$Secret = 3; [string] Say([int]$x) { return "x$x" } [int] Bad() { return 'abc' } }
class Named : System.IComparable { [string]$Name; Named([string]$n) { $this.Name = $n } [int] CompareTo([object]$o) { return [string]::Compare($this.Name, $o.Name) } [string] ToString() { return "<$($this.Name)>" } }
function Show($n) { "$n $($_.FullyQualifiedErrorId) $($_.CategoryInfo.Category) $($_.Exception.GetType().Name)" }
$node = [Node]::new()
"unset is null: $($null -eq $node.Name) secret $($node.Secret)"
try { $node.Id = 'x' } catch { Show 1 }
try { $node.Weight = 9 } catch { Show 2 }
try { $node.Say('q') } catch { Show 3 }
try { $node.Bad() } catch { Show 4 }
try { [Node]@{ Id = 'z' } } catch { Show 5 }
try { [Node]@{ Nope = 1 } } catch { Show 6 }
try { [Node]'text' } catch { Show 7 }
"still $($node.Id) $($node.Weight) $($node.Say('4'))"
$a, $b = [Named]'a', [Named]::new('b')
"less: $($a -lt $b) comparable: $($a -is [System.IComparable]) text: $('to ' + $b)"
foreach ($t in [Named], [Node]) { "$($t.Name) $($t.BaseType.Name)" }
