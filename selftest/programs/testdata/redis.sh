# A server on a unix socket and on loopback, its benchmark, its snapshot by fork, its log, its end.
set -eu
redis-server --port "$PORT" --bind 127.0.0.1 --unixsocket "$RUN/s" --dir "$RUN" --save '' --io-threads 2 --appendonly yes --appendfsync everysec --logfile log &
cli() { redis-cli -s "$RUN/s" "$@"; }
until [ "$(cli ping 2>/dev/null)" = PONG ]; do sleep 0.05; done
redis-benchmark -s "$RUN/s" -n "$1" -c 20 --csv -t ping,set,get,incr,lpush,rpop,sadd,zadd,mset | cut -d, -f1
redis-benchmark -h 127.0.0.1 -p "$PORT" -n "$1" -c 10 -P 8 --threads 2 --csv -t set,get | cut -d, -f1
cli set answer 42; cli incr answer; cli eval 'local s = 0; for i = 1, 1000 do s = s + i end; return s' 0
(for i in 1 2 3 4 5; do echo "SET k$i $i"; done; echo 'MGET k1 k3 k5') | cli
cli --no-raw blpop nothing 0.1; (sleep 0.2; cli lpush later x >/dev/null) & cli blpop later 5; wait $!
cli bgsave; until [ "$(cli info persistence | tr -d '\r' | sed -n 's/^rdb_bgsave_in_progress://p')" = 0 ]; do sleep 0.05; done
cli bgrewriteaof >/dev/null; until cli info persistence | tr -d '\r' | grep -q aof_rewrite_in_progress:0; do sleep 0.05; done
cli info persistence | tr -d '\r' | grep -E '^(rdb_last_bgsave_status|aof_last_bgrewrite_status)'; redis-check-rdb dump.rdb | grep -c 'RDB looks OK'
cli client list | wc -l; cli dbsize; cli shutdown nosave; wait; grep -c -i -E 'warning.*(crash|assert)|BUG' log || :
