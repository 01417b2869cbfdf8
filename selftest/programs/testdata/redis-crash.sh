# A server that is killed, one that reads its log again, and one that crashes and reports its own stack.
set -eu
cli() { redis-cli -s "$RUN/s" "$@"; }
start() { redis-server --port 0 --unixsocket "$RUN/s" --dir "$RUN" --appendonly yes --save '' --logfile log --enable-debug-command yes & server=$!; until [ "$(cli ping 2>/dev/null)" = PONG ]; do sleep 0.05; done; }
start; seq 2000 | sed 's/.*/SET k& v&/' | cli | sort | uniq -c; cli save; cli bgsave >/dev/null
kill -KILL $server; wait $server 2>/dev/null || echo "status $?"
start; cli dbsize; cli subscribe ch >heard & sub=$!; until grep -q 1 heard; do sleep 0.05; done; cli publish ch message; until grep -q message heard; do sleep 0.05; done; kill $sub
cli debug segfault 2>/dev/null || :; wait $server 2>/dev/null || echo "status $?"
grep -c 'crashed by signal: 11' log; grep -c -E '^/.*redis.*\(debugCommand|redis-server.*\(' log | sed 's/^[1-9][0-9]*$/stack/'
