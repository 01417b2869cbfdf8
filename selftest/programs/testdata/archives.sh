# find and xargs with four processes at once; tar, gzip and zstd with two threads.
set -eu
export TZ=UTC

mkdir -p t/{1..8}/{1..5}
for d in t/*/*; do for i in 1 2 3; do seq "$i" 200 | md5sum >"$d/$i"; seq 1 300 >>"$d/$i"; done; done
ln -s 1 t/link; ln t/1/1/1 t/hard; mkfifo t/fifo
find t -exec touch -hd '2021-02-03 04:05:06Z' {} +

echo "== find"
find t -type f -name '[12]' -path '*/3/*' | LC_ALL=C sort | head -n 3
find t -type f -size +1k -printf '%s\n' | awk '{s += $1} END {print NR, s}'
find t -mindepth 2 -maxdepth 2 -type d -empty -o -type p -print; find t -samefile t/hard | sort
find t -type f -newermt 2021-01-01 ! -newermt 2022-01-01 -exec sh -c 'echo $#' sh {} + ; find t -type d -exec test -e {}/1 \; -print | sort | tail -n 1
find t -type f -execdir sha256sum {} \; | sort | sha256sum; find -L t -xtype l; find nowhere 2>&1 || echo $?

echo "== xargs"
find t -type f -print0 | xargs -0 -P4 -n1 sha256sum | sort | sha256sum
find t -type f | xargs -P4 -n3 wc -l | awk '$2 != "total" {n++} END {print n}'
seq 100 | xargs -P4 -I{} sh -c 'echo $(({} * {}))' | sort -n | tail -n 1
seq 20 | xargs -P4 -n1 sh -c '[ $0 != 13 ] || exit 255' 2>/dev/null || echo $?
seq 10 | xargs -P4 -n1 sh -c '[ $0 != 5 ] || kill -TERM $$' 2>/dev/null || echo $?
seq 1 50000 | xargs echo | wc; xargs -a /dev/null -r echo never; seq 4 | xargs --process-slot-var=S -P2 -n1 sh -c 'echo ${S:+slot}'

echo "== tar"
tar -cf a.tar --sort=name --numeric-owner --owner=0 --group=0 t; sha256sum a.tar
tar -tf a.tar | wc -l; mkdir x; tar -xf a.tar -C x; diff -r --no-dereference --exclude=fifo x/t t && echo same; [ -p x/t/fifo ] && [ -L x/t/link ] && [ x/t/hard -ef x/t/1/1/1 ] && echo kinds
tar -czf a.tgz --sort=name --mtime=@0 t; tar -tzf a.tgz | md5sum; tar --zstd -cf a.tzst t; tar -xOf a.tzst t/2/2/2 | head -n 1
tar -cf - t | (mkdir y; cd y; tar -xpf -); diff -rq --exclude=fifo t y/t && echo piped
tar -rf a.tar "$SRC/posix.sh" 2>/dev/null; tar --delete -f a.tar t/1; tar -tf a.tar | wc -l; tar -df a.tar t/2 && echo equal; tar -xf nothing.tar 2>/dev/null || echo $?

echo "== gzip"
gzip -k9n a.tar; sha256sum a.tar.gz; gzip -l a.tar.gz | awk 'NR == 2 {print $2}'; gzip -t a.tar.gz && zcat a.tar.gz | cmp - a.tar && echo gzip
seq 1 200000 | gzip -1 | gunzip | md5sum; echo junk | gunzip 2>&1 || echo $?; printf abc | gzip -n | od -An -tx1

echo "== zstd"
seq 1 400000 >n; zstd -q -T2 -9 n -o n.zst; zstd -t -q n.zst && zstd -dcq n.zst | cmp - n && echo zstd; zstd -q -T2 --rsyncable -19 -c a.tar | zstd -dq | cmp - a.tar && echo pipe
zstd -q -T2 -B64K -3 n -f -o n2.zst; zstd -dq n2.zst -f -o n2; cmp n n2 && zstd -q --train t/*/*/1 -o dict --maxdict=4K 2>/dev/null && zstd -q -D dict t/1/1/1 -o d.zst && zstd -D dict -dcq d.zst | cmp - t/1/1/1 && echo dictionary
zstd -q -b1 -e2 -i0 n 2>/dev/null | wc -l; zstd -dq a.tar -o z 2>/dev/null || echo $?
