# Processes that leave their session, their parent, their terminal.
set -eu
wait_for() { for _ in $(seq 500); do [ -s "$1" ] && return; sleep 0.02; done; echo "no $1"; }

setsid sh -c 'ps -o sid= -p $$ | grep -qw $$ && echo leader >s1'; cat s1
setsid -w sh -c 'exit 12' || echo $?
setsid -f sh -c 'sleep 0.1; echo forked >s2.new; mv s2.new s2'; wait_for s2; cat s2
sh -c '(sleep 0.2; echo "orphan of init: $(($(ps -o ppid= -p $(sh -c "echo \$PPID")) != '$$'))" >s3) &'; wait_for s3; cat s3
nohup sh -c 'kill -HUP $$; sleep 0.1; echo nohup' >s4 2>/dev/null </dev/null & wait; cat s4
(trap '' HUP; echo >ready; exec sh -c 'sleep 0.1; echo trapped >s5') & wait_for ready; kill -HUP $!; wait; cat s5
perl -MPOSIX -e 'exit if fork; POSIX::setsid(); exit if fork; chdir "/"; umask 0; open STDIN, "/dev/null"; open STDOUT, ">/dev/null"; open STDERR, ">&STDOUT";
	POSIX::close($_) for 3 .. 255; open F, ">", "$ENV{RUN}/pid"; print F "$$\n"; close F; $SIG{TERM} = sub { open F, ">", "$ENV{RUN}/s6"; print F "told to end\n"; close F; exit }; sleep 60 while 1'
wait_for pid; kill "$(cat pid)"; wait_for s6; cat s6
