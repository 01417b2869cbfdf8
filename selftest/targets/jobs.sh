#!/bin/bash
# Shell work: pipes, subshells, substitutions, background jobs, wait, traps, here documents, redirections; with and without
# job control. Every line of output is fixed.
set -u
i=0
while [ $i -lt 30 ]; do
	i=$((i + 1))
	x=$(echo $i | cat)
	[ "$x" = $i ] || echo "substitution: $x"
	(exit $((i % 5))) && y=0 || y=$?
	[ $y = $((i % 5)) ] || echo "subshell: $y"
done
echo "pipes: $(seq 1000 | sort -n | uniq | wc -l) $(seq 100 | head -5 | tail -1) $(yes | head -3 | tr '\n' ,)"
for n in 1 2 3 4 5; do
	(sleep 0.0$n; exit $n) &
	pids="${pids-} $!"
done
for p in $pids; do
	wait $p
	printf '%d ' $?
done
echo waited
wait
echo "wait: $?"

trap 'echo usr1' USR1
kill -USR1 $$
(trap 'echo "term in a subshell"; exit 5' TERM; kill -TERM $BASHPID; sleep 5)
echo "subshell: $?"
sleep 5 &
kill $!
wait $! 2>/dev/null
echo "killed job: $?"
{ sh -c 'kill -SEGV $$'; } 2>/dev/null
echo "killed child: $?"
trap 'echo "usr1 while waiting"' USR1
(sleep 0.1; kill -USR1 $$) &
wait $!
echo "wait: $?"
wait
trap '' USR2
sh -c 'kill -USR2 $$; echo "ignored signals stay ignored"'
trap - USR2
sh -c 'trap "echo exit trap" EXIT; true'

exec 5>&1 6<<EOT
line one
line two
EOT
read -r a <&6
read -r b <&6
echo "here: $a, $b" >&5
exec 5>&- 6<&-
ls /proc/self/fd | tr '\n' ' '
echo
cat <(echo from a substitution) 2>&1
echo text > >(cat)
wait $! 2>/dev/null
mkfifo fifo
(echo through the fifo > fifo) &
cat fifo
wait

# When bash tells of a job, and by which number, depends on the moment: the block's own messages do not count.
{
	set -m
	sleep 5 &
	p=$!
	kill -STOP -- -$p
	until jobs -s >stopped; [ -s stopped ]; do
		:
	done
	kill -CONT -- -$p
	kill -- -$p
	while wait $p; [ $? = $((128 + $(kill -l STOP))) ]; do
		:
	done
	wait $p
	status=$?
	set +m
} 2>/dev/null
sed 's/^[^S]*//; s/  */ /g' stopped
echo "stopped, continued, killed: $status"
set -m
(exit 7) &
wait $!
echo "own group: $?"
set +m

coproc tr a-z A-Z
echo shout >&"${COPROC[1]}"
fd=${COPROC[1]}
exec {fd}>&-
read -r loud <&"${COPROC[0]}"
echo "$loud"
wait
/nonexistent/program 2>/dev/null
echo "not found: $?"
/etc/passwd 2>/dev/null
echo "not executable: $?"
exec sh -c 'echo "the end, from another program"; exit 3'
