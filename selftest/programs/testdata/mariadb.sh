# A server with many threads: sessions at once, a query that is killed, the server killed, what it finds afterwards.
set -eu
options=(--no-defaults --user=mysql "--datadir=$RUN/data" "--tmpdir=$RUN/tmp")
mkdir data; chmod 777 data tmp .
mysql_install_db "${options[@]}" --auth-root-authentication-method=normal >install.log 2>&1; echo "installed: $?"
q() { mariadb --no-defaults -uroot -S s -N -e "$@"; }
start() {
	mariadbd "${options[@]}" "--socket=$RUN/s" --skip-networking "--pid-file=$RUN/pid" >"$1" 2>&1 & server=$!
	until q 'select 1' >/dev/null 2>&1; do sleep 0.1; done
}
start log1
q 'create database d; use d; create table t (id int primary key auto_increment, v text) engine=innodb
	; insert into t (v) select repeat("x", seq % 100) from seq_1_to_5000; select count(*), sum(length(v)) from d.t'
sessions=; for i in 0 1 2 3; do q "update d.t set v = concat(v, '$i') where id % 4 = $i" & sessions="$sessions $!"; done; wait $sessions
q 'select sum(length(v)) from d.t'
q "select sleep(100)" >killed 2>&1 & sleeper=$!
until id=$(q "select id from information_schema.processlist where info like 'select sleep%'") && [ -n "$id" ]; do sleep 0.05; done
q "kill query $id"; wait $sleeper || echo "status $?"; cat killed
kill -KILL $server; wait $server 2>/dev/null || echo "server $?"
start log2; q 'select count(*), sum(length(v)) from d.t'; grep -c 'crash recovery' log2
q shutdown; wait $server; echo "server $?"
