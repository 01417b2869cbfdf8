# The core utilities over a generated tree. Every line that prints something is deterministic.
set -eu

mkdir -p tree/{a,b,c}/{x,y,z}
for d in tree/*/*; do for i in 1 2 3 4 5; do seq "$i" $((i * 40)) >"$d/f$i"; done; done
find tree -exec touch -d '2020-01-02 03:04:05Z' {} +
export TZ=UTC

echo "== ls"
ls -lR --time-style=full-iso tree | sed -E 's/^(.{10}) +[0-9]+ [^ ]+ [^ ]+/\1/' | sha256sum
ls -la --time-style=+%F tree/a/x | wc -l
ls -i1 tree/a | wc -l

echo "== cp, mv, ln, rm"
cp -a tree copy; diff -r tree copy && echo same
cp --reflink=auto --sparse=always tree/a/x/f5 sparse; cmp tree/a/x/f5 sparse
cp -rl tree hard; stat -c '%h %n' hard/b/y/f3
cp -rs "$PWD/tree" sym; readlink sym/a/x/f1 | sed "s|$PWD|.|"
mv copy moved; mv moved/a/x/f1 moved/renamed; ls moved
ln -s target dangling; ln -sf ../tree up; ln tree/a/x/f1 link; stat -c '%F %s' dangling; [ link -ef tree/a/x/f1 ] && echo one inode
rm -r moved hard sym; rm -f nothing; rmdir --ignore-fail-on-non-empty tree; [ ! -e moved ] && echo gone
install -m 640 -D tree/a/x/f2 deep/er/file; stat -c '%a %s' deep/er/file
chmod -R u=rwX,go=rX tree; chmod 4711 sparse; stat -c %A sparse

echo "== text"
find tree -type f | LC_ALL=C sort | xargs cat >all
wc all | tr -s ' '
sort -n all | uniq -c | sort -k1,1nr -k2,2n | head -n 3
sort -S 64K --parallel=2 -T tmp -n all | md5sum
sort -u all | wc -l; sort -c all 2>/dev/null || echo unsorted
cut -c1-2 all | tr 0-9 a-j | sort | uniq | wc -l
head -n 5 all | tac | paste -sd+; tail -c 20 all | od -An -c | head -n 2; nl all | tail -n 1
seq 1 10 >s1; seq 5 14 >s2; sort s1 -o s1; sort s2 -o s2
comm -12 s1 s2 | paste -sd,; comm -3 s1 s2 | tr -d '\t' | paste -sd,
join -o 1.1,2.1 s1 s2 | head -n 2; expand <<<$'a\tb' | fold -w 4; fmt -w 20 <<<'some words that have to be filled again'
shuf -i 1-100 --random-source=all | md5sum; factor 123456789; numfmt --to=iec 123456789; base64 <s1 | head -c 12; echo
csplit -s -f part. all '/^40$/' '{2}'; ls part.* | wc -l; split -n l/4 all sp.; cat sp.* | cmp - all && ls sp.*
split -l 500 --filter='wc -l' all | paste -sd' '

echo "== sums and sizes"
sha256sum all; sha512sum all | cut -c1-32; md5sum all | md5sum -c -; b2sum all | cut -c1-32; cksum all
du -sb --apparent-size tree | cut -f1 | sed 's/.*/some/'; du -a tree | wc -l; df . >/dev/null && echo df
truncate -s 1M big; stat -c '%s %F' big; fallocate -l 64K big2 2>/dev/null || dd if=/dev/zero of=big2 bs=64K count=1 status=none; stat -c %s big2

echo "== dd"
dd if=all of=d1 bs=1000 conv=swab,sync status=none; md5sum <d1
dd if=all of=d2 bs=512 skip=2 seek=1 count=8 conv=notrunc 2>&1 | head -n 2
head -c 100000 /dev/zero | dd bs=7 count=1000 iflag=fullblock 2>/dev/null | wc -c
dd if=/dev/zero bs=64K count=64 oflag=append conv=notrunc,fsync of=d3 status=none; stat -c %s d3

echo "== touch and stat"
touch -d @1000000000 t; stat -c '%Y %y' t; touch -r all -d '+1 day' t2; touch -a -t 200001010000 t; stat -c %x t
touch -c none; [ ! -e none ] && echo not created; touch tree/a/x/f1 && [ tree/a/x/f1 -nt tree/a/x/f2 ] && echo newer

echo "== tee, mktemp"
seq 1 1000 | tee o1 o2 >/dev/null; seq 1 1000 | tee -a o1 >o3; wc -l o1 o2 o3 | tr -s " "
f=$(mktemp); d=$(mktemp -d); [ -f "$f" ] && [ -d "$d" ] && echo made; stat -c %a "$f" "$d"; rm -r "$f" "$d"
mktemp -u XXXXXXXX | wc -c; mkfifo p; cat p >o4 & echo through >p; wait; cat o4; mknod q p; ls q; sync -f all

echo "== how a command runs"
env -i A=1 B=2 env | sort; env -u HOME printenv HOME || echo unset; env -C / pwd; env --ignore-signal=TERM sh -c 'kill -TERM $$; echo alive'
nice -n 5 nice; nohup echo nohup 2>/dev/null; nohup sh -c 'kill -HUP $$; echo immune' 2>/dev/null
rc() { local s=0; { "$@" || s=$?; } 2>/dev/null; echo $s; }
rc timeout 0.1 sleep 10; rc timeout -s KILL 0.1 sleep 10; rc timeout -k 0.1 0.1 sh -c 'trap "" TERM; sleep 1; sleep 1'; rc timeout 5 sh -c 'exit 3'
rc timeout --foreground 0.1 sleep 10; rc timeout 5 /nonexistent; rc env /etc/passwd
stdbuf -o0 printf 'un'; stdbuf -oL echo buffered; seq 3 | stdbuf -i0 -oL cat
chroot --version | head -c 6; echo; id -un >/dev/null && groups >/dev/null && echo id; nproc >/dev/null; uname -s; date -u -d @0 +%F; hostname >/dev/null; tty || true
printf '%q\n' 'a b'; expr 6 \* 7; test 3 -gt 2 && echo gt; basename /a/b.c .c; dirname /a/b; realpath -m --relative-to=/a/b /a/c; pathchk ok; sleep 0.05; yes ok | head -n 2
ls nonexistent 2>&1 || true; cat tree 2>&1 || true; rm tree 2>&1 || true; kill -l 31; runcon 2>/dev/null || true
