# fork, pipes, sockets, signals, sleeping selects, files, sorting and regular expressions.
use strict;
use warnings;
use Fcntl qw(:flock SEEK_SET);
use IO::Handle;
use IO::Select;
use POSIX qw(:sys_wait_h dup2 mkfifo);
use Socket;
use Time::HiRes qw(usleep ualarm);
$| = 1;

my %pid;
for my $i (0 .. 29) {
    my $p = fork() // die;
    if (!$p) { POSIX::_exit($i) }
    $pid{$p} = $i;
}
my $sum = 0;
while ((my $p = wait()) > 0) { $sum += $? >> 8; delete $pid{$p} }
print "wait $sum ", scalar(keys %pid), "\n";

open(my $out, '|-', 'tr a-z A-Z') or die;
print $out "piped out\n";
close($out);
open(my $in, '-|', 'seq', 1, 1000) or die;
my $n = 0;
$n += $_ while <$in>;
close($in);
print "piped in $n\n";
print "backticks ", `echo one; exit 3`, $? >> 8, "\n";
print "system ", system('sh', '-c', 'exit 5') >> 8, " ", system('kill -9 $$') & 127, " ", do { no warnings; system('/nonexistent') }, "\n";

socketpair(my $near, my $far, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
if (my $p = fork()) {
    close($far);
    for my $i (1 .. 200) { syswrite($near, "$i\n"); sysread($near, my $got, 100); $got == $i * 2 or die "got $got" }
    close($near);
    waitpid($p, 0);
    print "socket $?\n";
} else {
    close($near);
    while (sysread($far, my $x, 100)) { syswrite($far, $x * 2 . "\n") }
    POSIX::_exit(0);
}

my $hits = 0;
local $SIG{USR1} = sub { $hits++ };
kill 'USR1', $$ for 1 .. 100;
print "signals $hits\n";
eval { local $SIG{ALRM} = sub { die "alarm\n" }; ualarm(50_000); select(undef, undef, undef, 5); };
print "eval $@";
eval { local $SIG{ALRM} = sub { die "again\n" }; ualarm(20_000); my $line = <STDIN> // do { sleep 5; '' }; };
print "eval $@";
my $reaped = 0;
{
    local $SIG{CHLD} = sub { while ((my $p = waitpid(-1, WNOHANG)) > 0) { $reaped++ } };
    for my $i (1 .. 15) { my $p = fork() // die; if (!$p) { usleep(1000 * $i); POSIX::_exit(0) } }
    my $end = time + 20;
    select(undef, undef, undef, 0.05) while $reaped < 15 && time < $end;
}
print "reaped $reaped\n";

open(my $f, '+>', 'data') or die;
if (!fork()) { flock($f, LOCK_EX); usleep(30_000); POSIX::_exit(0) }
print $f join(',', map { $_ ** 2 } 1 .. 500);
seek($f, 0, SEEK_SET);
my $text = <$f>;
wait;
my @words = sort { $b <=> $a } $text =~ /(\d*7\d*)/g;
print "file ", scalar(@words), " $words[0] ", -s 'data', "\n";
truncate($f, 10);
print "stat ", join(' ', (stat 'data')[7], (-d '.' ? 'dir' : ''), (-p 'data' ? 'fifo' : 'file')), "\n";
mkdir 'd'; rename 'data', 'd/data'; symlink 'd/data', 'l'; link 'd/data', 'h'; chmod 0600, 'h'; utime 0, 0, 'h';
opendir(my $dh, '.'); print "dir ", join(' ', sort grep { !/^\./ && !/^(home|tmp)$/ } readdir $dh), " ", readlink('l'), " ", (stat 'h')[9], "\n";
unlink 'l', 'h', 'd/data'; rmdir 'd';

mkfifo('p', 0600);
if (!fork()) { open(my $w, '>', 'p') or die; print $w "through the fifo\n"; close($w); POSIX::_exit(0) }
open(my $r, '<', 'p') or die; print scalar <$r>; close($r); wait; unlink 'p';

pipe(my $pr, my $pw) or die;
my $sel = IO::Select->new($pr);
print "empty ", scalar(() = $sel->can_read(0.02)), "\n";
syswrite($pw, 'x');
print "ready ", scalar(() = $sel->can_read(1)), "\n";
my $str = 'abc' x 1000; (my $t = $str) =~ s/(b)(c)/$2$1/g;
print unpack('%32C*', $t), "\n", sprintf('%.6f', atan2(1, 1) * 4), "\n";
exec 'sh', '-c', 'echo exec; exit 0';
