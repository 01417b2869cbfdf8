# What any POSIX shell does all day: pipes, subshells, substitutions, traps, jobs, here-documents, statuses.
# Run by dash, bash and busybox.
set -u

echo "== pipes"
seq 1 2000 | grep 7 | sed 's/7/seven/' | sort -r | head -n 3
seq 1 100 | while read -r n; do [ $((n % 25)) -ne 0 ] || echo "n=$n"; done
{ echo out; echo err >&2; } 2>&1 | tr a-z A-Z
yes | head -n 50000 | wc -l
printf 'a\nb\nc\n' | { read -r x; read -r y; echo "$y$x"; cat; }

echo "== status"
false; echo $?
(exit 42); echo $?
sh -c 'exit 7' | cat; echo $?
! true; echo $?
/nonexistent/command 2>/dev/null; echo $?
/etc/passwd 2>/dev/null; echo $?
{ sh -c 'kill -TERM $$'; } 2>/dev/null; echo $?
{ sh -c 'kill -SEGV $$'; } 2>/dev/null; echo $?
{ sh -c 'kill -KILL $$'; } 2>/dev/null; echo $?
{ sh -c 'kill -SYS $$'; } 2>/dev/null; echo $?

echo "== substitution"
i=0 sum=0
while [ $i -lt 60 ]; do
	i=$((i + 1))
	x=$(echo $i | cat)
	sum=$((sum + x))
done
echo $sum
echo "nested $(echo "$(echo "$(echo deep)")")"

echo "== subshells"
v=outer
(v=inner; echo $v; (v=innermost; echo $v; exit 3); echo $?)
echo $v
(cd /; pwd; (cd usr; pwd)); [ "$PWD" = "$RUN" ] && echo "still there"

echo "== here-documents"
cat <<EOT | tac
one $v
two
EOT
cat <<'EOT'
no $v
EOT

echo "== traps"
trap 'echo usr1' USR1
kill -USR1 $$
(trap 'echo sub-exit' EXIT; trap 'echo sub-usr2; exit 5' USR2; sh -c 'kill -USR2 $PPID'; sleep 5; echo not here)
echo $?
(trap '' TERM; sh -c 'kill -TERM $$; echo survives')
(trap 'echo hup' HUP; sh -c 'kill -HUP $PPID; exit 4'; echo "after $?")
(sleep 0.2; kill -USR1 $$; sleep 0.3) &
wait; echo "wait $?"; wait
trap - USR1

echo "== jobs"
sleep 0.1 & a=$!
(sleep 0.05; exit 9) & b=$!
(exit 3) & c=$!
wait $a; echo $?
wait $b; echo $?
wait $c; echo $?
sleep 100 & d=$!
kill $d; wait $d 2>/dev/null; echo $?
for j in 1 2 3 4 5 6 7 8; do (sleep 0.0$j; echo $j >j$j) & done
wait
cat j1 j2 j3 j4 j5 j6 j7 j8 | tr '\n' ' '; echo
mkfifo fifo
(seq 1 1000 >fifo) &
awk '{s += $1} END {print s}' fifo
wait; echo $?

echo "== files"
for f in a b c; do echo "file $f" >"$f.txt"; done
cat ./*.txt
exec 5>log; echo five >&5; exec 5>&-; cat log
read -r line <a.txt; echo "$line"
[ -f a.txt ] && [ ! -e zzz ] && echo tests
umask 027; : >u; ls -l u | cut -c1-10
set -- x "y z"; for w; do echo "<$w>"; done
(ulimit -n 40; ulimit -n; : 8>x8 9>x9)
cd / && exec sh -c 'echo "exec in $(pwd)"; exit 0'
