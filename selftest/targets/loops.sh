#!/bin/sh
# Two hundred programs, one after another and side by side.
set -e
i=0
while [ $i -lt 200 ]; do
	/bin/true
	i=$((i + 1))
done
echo "one after another: $i"
i=0
while [ $i -lt 40 ]; do
	/bin/true &
	i=$((i + 1))
done
wait
echo "side by side: $i"
seq 100 | xargs -P 4 -n 1 sh -c 'exit 0'
echo "xargs: $?"
seq 20 | xargs -P 4 -n 1 sh -c '[ $0 != 7 ] || exit 255' 2>/dev/null || echo "xargs: $?"
timeout 0.1 sleep 5 || echo "timeout: $?"
timeout -s KILL 0.1 sleep 5 || echo "timeout with SIGKILL: $?"
env -i /bin/sh -c 'echo "no environment: ${HOME-none}"'
setsid -w sh -c 'echo "own session"; exit 4' || echo "session: $?"
nice -n 5 sh -c 'nice'
nohup sh -c 'kill -HUP $$; echo "still there"' 2>/dev/null
find /proc/self/fd -maxdepth 1 | wc -l
