# CHG-2107: the metrics exporter of this server is asked by the collectors of 10.20.4.0/24
New-NetFirewallRule -Name site-metrics-9182 -DisplayName 'Site metrics exporter' -Direction Inbound -Protocol TCP -LocalPort 9182 -RemoteAddress 10.20.4.0/24 -Action Allow
