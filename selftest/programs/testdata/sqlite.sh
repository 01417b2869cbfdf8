# One process with a large transaction, then four writing at once in both journal modes, then damage that must be found.
set -eu
sqlite3 d.db <<'Q'
pragma journal_mode=wal;
create table t(a integer primary key, b text);
with recursive c(x) as (select 1 union all select x+1 from c where x < 50000) insert into t select x, hex(x*7) from c;
create index i on t(b);
select count(*), sum(a), max(b) from t;
select b, count(*) from t group by substr(b, 1, 3) order by 2 desc, 1 limit 3;
explain query plan select * from t where b = '37';
pragma integrity_check;
create virtual table f using fts5(x); insert into f select b from t limit 500; select count(*) from f where f match '37*';
Q
for mode in delete wal; do
	sqlite3 w.db "pragma journal_mode=$mode; create table if not exists w(p, n)"
	for p in 1 2 3 4; do
		(for n in 1 2 3 4 5 6 7 8; do sqlite3 -cmd '.timeout 60000' w.db "begin immediate; insert into w values($p, $n); commit"; done) &
	done
	wait
	sqlite3 w.db 'select count(*), sum(p*n) from w; vacuum; pragma integrity_check'
done
sqlite3 -csv w.db 'select p, count(*) from w group by p' | tee out.csv; sqlite3 m.db '.mode csv' '.import out.csv x' 'select count(*) from x' '.dump' | sha256sum
(sqlite3 w.db 'begin exclusive; select 1;' '.shell sleep 0.5' commit >/dev/null &) ; sleep 0.2; sqlite3 w.db 'begin immediate' 2>&1 || echo "$?"; sleep 0.6
sqlite3 :memory: "select sqlite_version() > '3', json('{\"a\":[1,2]}')"; yes damage | dd of=d.db bs=1000 seek=20 count=3 iflag=fullblock conv=notrunc status=none; sqlite3 d.db 'pragma quick_check' 2>&1 | head -n 1 | cut -c1-3
