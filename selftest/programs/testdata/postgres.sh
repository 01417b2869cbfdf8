# A database cluster: its making, load, parallel queries, a backend killed, a server killed, all ways to stop.
set -eu
export PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=$RUN/data PGHOST=$RUN PGDATABASE=postgres
unset PGUSER PGPORT USER
q() { psql -XAtq "$@"; }
balanced() { q -c 'select sum(abalance) = (select sum(delta) from pgbench_history) and sum(abalance) = (select sum(tbalance) from pgbench_tellers) from pgbench_accounts'; }
server() { local s=0; pg_ctl -s -w -l log "$@" || s=$?; echo "$*: $s"; }
initdb -A trust -N --locale=C.UTF-8 >initdb.log 2>&1; echo "initdb: $?"
cat >>data/postgresql.conf <<C
listen_addresses = ''
unix_socket_directories = '$RUN'
shared_buffers = 16MB
fsync = off
autovacuum_naptime = 1
restart_after_crash = on
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
max_parallel_workers_per_gather = 3
C
server start
pgbench -i -s 2 -q >/dev/null 2>&1; echo "tables: $?"
load() { pgbench -n "$@" 2>&1 | grep -E '^number of (transactions actually|failed)' || :; }
load -c 8 -j 4 -t "$1"; load -c 4 -j 2 -t "$1" -M prepared -S; load -c 4 -j 2 -t "$1" -C -S; balanced
q <<S
explain (costs off) select count(*), sum(aid) from pgbench_accounts;
select count(*), sum(aid), md5(string_agg(aid::text, ',' order by aid)) from pgbench_accounts;
create table t as select i, md5(i::text) m from generate_series(1, 30000) i; create index on t (m); analyze t;
select count(*) from t a join t b using (m) where a.i % 3 = 0;
do \$\$ begin perform 1 / 0; exception when division_by_zero then raise notice 'division'; end \$\$;
create function deep(n int) returns int language plpgsql as 'begin return deep(n + 1); end';
set max_stack_depth = '200kB'; do \$\$ begin perform deep(0); exception when statement_too_complex then raise notice 'deep'; end \$\$;
set statement_timeout = 200; select pg_sleep(50);
S
q -c 'listen ch' -c "notify ch, 'word'" | sed 's/ PID.*//'
# A statement that is cancelled, a session that is ended, locks that two sessions want of each other.
waiting() { until [ "$(q -c "select count(*) from pg_stat_activity where query ~ '^select pg_sleep' and state = 'active'")" = 1 ]; do sleep 0.05; done; }
ask() { q -c "select $1(pid) from pg_stat_activity where query ~ '^select pg_sleep'"; }
q -c 'select pg_sleep(99)' >cancelled 2>&1 & waiting; ask pg_cancel_backend; wait $! || echo "status $?"; cat cancelled
q -c 'select pg_sleep(99)' >ended 2>&1 & waiting; ask pg_terminate_backend; wait $! || echo "status $?"; head -n 1 ended
for i in 1 2; do q -c "set deadlock_timeout = 100" -c 'begin' -c "update t set m = '' where i = $i" -c "select pg_sleep(1)" -c "update t set m = '' where i = $((3 - i))" -c commit >"lock$i" 2>&1 || : & done; wait
cat lock1 lock2 | grep -c 'deadlock detected'
# A backend killed: the server starts all anew. The server killed: the next one finds what was committed.
q -c 'select pg_sleep(99)' >/dev/null 2>&1 & waiting
kill -KILL "$(q -c "select pid from pg_stat_activity where query ~ '^select pg_sleep'")"; wait $! || echo "status $?"
until q -c 'select 1' >/dev/null 2>&1; do sleep 0.1; done; balanced
server restart -m immediate; balanced
server stop -m fast; postgres >>log 2>&1 & postmaster=$!; until q -c 'select 1' >/dev/null 2>&1; do sleep 0.1; done; q -c 'insert into t values (0, 0)'
kill -KILL $postmaster; wait $postmaster 2>/dev/null || echo "status $?"; until ! pgrep -u "$(id -u)" -f "postgres: .*" | while read -r p; do [ "$(readlink "/proc/$p/cwd")" != "$PGDATA" ] || echo "$p"; done | grep -q .; do sleep 0.05; done
server start; balanced; load -c 4 -j 2 -t "$1"; balanced
pg_dump >dump; q -c 'create database copy'; psql -XAtq -d copy -f dump >/dev/null; q -d copy -c 'select count(*) from t'; dropdb copy
server restart -m smart; server restart -m fast; server reload; q -c checkpoint -c 'vacuum full t' -c 'select count(*) from t'; server stop -m fast; server status
pg_controldata | sed -n 's/^Database cluster state: *//p'; grep -c -E 'PANIC|TRAP' log || :
