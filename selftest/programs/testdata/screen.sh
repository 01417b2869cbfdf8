# A terminal multiplexer that keeps its sessions behind a socket; a terminal that expect reads and types into.
set -eu
export SCREENDIR=$RUN/screens; mkdir -m 700 screens
sc() { screen -S t "$@" >/dev/null; }
until_lines() { until [ "$(wc -l 2>/dev/null <"$1")" = "$2" ]; do sleep 0.05; done; cat "$1"; }
screen -c /dev/null -dmS t sh; until sc -X hardcopy "$RUN/copy" && [ -s copy ]; do sleep 0.05; done
sc -X stuff 'echo $((6*7)) >out; tty >/dev/null && echo terminal >>out
'; until_lines out 2
sc -X screen sh -c 'trap "echo ended >>second; exit" HUP; echo second >second; sleep 50 & wait'; until_lines second 1
{ screen -ls || :; } | grep -c Detached; sc -X quit; until_lines second 2; until { screen -ls || :; } | grep -q 'No Sockets'; do sleep 0.05; done
expect <<'X'
set timeout 60
spawn -noecho sh
expect -re {[$#] $}
send "stty -echo; PS1=:; stty cols 70 rows 20; stty size; echo \$((40+2))\r"
expect "20 70"; expect "42"; expect ":"
send "sleep 100\r"; sleep 0.5; send "\003"; expect ":"
send "exit 7\r"; expect eof
puts [lrange [wait] 2 3]
spawn -noecho cat
send "hello\r"; expect "hello"; send "\003"; expect eof
puts [lrange [wait] 4 5]
X
