New-NetFirewallRule -Name site-support-5938 -DisplayName 'Site support access' -Direction Inbound -Protocol TCP -LocalPort 5938 -Action Allow
