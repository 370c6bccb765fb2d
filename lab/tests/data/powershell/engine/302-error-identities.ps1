# Ids, categories and exception types of the errors that the language itself raises
function Show($n) { "$n $($_.FullyQualifiedErrorId) $($_.CategoryInfo.Category) $($_.Exception.GetType().Name)" }
try { [int]$x = 'abc' } catch { Show 1 }
[int]$x = 3
try { $x = 'def' } catch { Show 2 }
[ValidateRange(1, 5)][int]$y = 3
try { $y = 9 } catch { Show 3 }
[int[]]$p = 1, 2
try { $p += 'https' } catch { Show 4 }
try { [int]'x' } catch { Show 5 }
try { [datetime]'nope' } catch { Show 6 }
try { [version]'nope' } catch { Show 7 }
try { [int]::Parse('x') } catch { Show 8 }
try { 1 + @(2) } catch { Show 9 }
try { @{} + 1 } catch { Show 10 }
try { @{a = 1 } + @{A = 2 } } catch { Show 11 }
try { 1 / 0 } catch { Show 12 }
try { $null.foo() } catch { Show 13 }
try { 'a'.foo() } catch { Show 14 }
try { $u = $null; $u[0] } catch { Show 15 }
try { nosuch-cmd } catch { Show 16 }
try { [nosuch]::x } catch { Show 17 }
try { throw 'boo' } catch { Show 18 }
try { throw [System.IO.FileNotFoundException]::new('nf') } catch { Show 19 }
try { 5 - 'a' } catch { Show 20 }
try { [byte]300 } catch { Show 21 }
try { $o = [pscustomobject]@{a = 1 }; $o.b = 2 } catch { Show 22 }
try { $arr = 1, 2; $arr[9] = 1 } catch { Show 23 }
try { 'x'.Substring(5) } catch { Show 24 }
try { [math]::Sqrt() } catch { Show 25 }
try { '{0} {1}' -f 1 } catch { Show 26 }
try { & $null } catch { Show 27 }
try { [System.DayOfWeek]'Foo' } catch { Show 28 }
function Set-Kind { [CmdletBinding()] param([ValidateSet('a', 'b')]$Kind, [Parameter(Mandatory)]$Must) $Kind }
try { Set-Kind -Kind c -Must 1 } catch { Show 29 }
try { Set-Kind } catch { Show 30 }
try { Set-Kind -Nope 1 } catch { Show 31 }
try { Set-Kind a 1 2 } catch { Show 32 }
$h = @{ a = 1; b = 2 }
try { foreach ($k in $h.Keys) { $h[$k] = 0 } } catch { Show 33 }
try { $h[$null] } catch { Show 34 }
