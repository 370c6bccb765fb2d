# Print what the kernel draws anew at every boot.
cat /proc/sys/kernel/random/boot_id
