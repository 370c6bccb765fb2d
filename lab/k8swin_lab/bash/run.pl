# Interpreter of the files that stand for a machine's programs: hands the call, with its three
# standard descriptors, to the lab's process over a Unix socket and exits with the code it gets.
# No module is loaded: that keeps a call at a few milliseconds.
my ($name, $version) = split / /, shift(@ARGV), 2;
my $path = shift @ARGV;
for my $fd (0 .. 2) {
    next if -e "/proc/self/fd/$fd";
    open(my $null, "+<", "/dev/null");
    push our @kept, $null;
}
my $lab;
socket($lab, 1, 1, 0) && connect($lab, pack("S Z108", 1, "/.k8swin-lab/here/socket"))
    or do { print STDERR "$path: the lab is gone\n"; exit 126 };
my $mark = "x";
my $vector = pack("P Q", $mark, 1);
my $rights = pack("Q i i i i i x4", 28, 1, 1, 0, 1, 2);
my $message = pack("Q L x4 P Q P Q i x4", 0, 0, $vector, 1, $rights, 32, 0);
syscall(SENDMSG, fileno($lab), $message, 0) == 1
    or do { print STDERR "$path: cannot reach the lab: $!\n"; exit 126 };
my @call = ($name, $version // "", $path, readlink("/proc/self/cwd"), umask, scalar(@ARGV), @ARGV, %ENV);
my $text = pack("(N/a*)*", @call);
$text = pack("N", length $text) . $text;
while (length $text) {
    my $sent = syswrite($lab, $text) or exit 126;
    substr($text, 0, $sent, "");
}
my $code = "";
while (length $code < 4) {
    my $got = sysread($lab, $code, 4 - length $code, length $code);
    exit 130 unless $got;
}
exit unpack("N", $code);
