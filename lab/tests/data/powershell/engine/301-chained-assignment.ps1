# Assignments are expressions: chained, in conditions, in parentheses, through an index
$a = $b = 5; "$a $b"
$h = @{}; $i = 0
$x = $h['k'] = 'v'; "$x $($h.k)"
if ($m = 'abc'.Length) { "m $m" }
while ($i -lt 3 -and ($j = $i++) -lt 5) { "j $j" }
($y = 3)
[int]$z = $w = '7'; "$z $($w.GetType().Name)"
$p, $q = 1, 2; "$p $q"
$r = ($s = 1, 2, 3).Count; $r
$c = $d += 4; "$c $d"
$list = @(0, 0); $list[0] = $list[1] = 9; "$list"
