# What bash has beyond POSIX: job control, process substitution, coprocesses, PIPESTATUS, DEBUG and ERR traps.
set -u

echo "== process substitution"
diff <(seq 1 10) <(seq 1 11); echo $?
paste -d, <(seq 3) <(seq 4 6) <(seq 7 9)
tee >(wc -c >n1) >(md5sum >n2) < <(seq 1 5000) | tail -n 1
for _ in {1..200}; do [[ -s n1 && -s n2 ]] && break; sleep 0.02; done
cat n1 n2

echo "== pipestatus"
true | false | (exit 3) | cat; echo "${PIPESTATUS[@]}"
set -o pipefail; false | true; echo $?; set +o pipefail
shopt -s lastpipe; seq 5 | mapfile -t lines; echo "${#lines[@]} ${lines[4]}"

echo "== coproc"
coproc BC { while read -r a b; do echo $((a * b)); done; }
pid=$BC_PID
for i in 1 2 3 4; do echo "$i $i" >&"${BC[1]}"; read -r r <&"${BC[0]}"; echo "$r"; done
eval "exec ${BC[1]}>&-"; wait "$pid"; echo $?

echo "== job control"
set -m
sleep 30 & kill -STOP %1
until [[ $(jobs -s) ]]; do sleep 0.01; done
jobs | sed 's/ *$//'
kill -CONT %1; kill -TERM %1; wait %1 2>/dev/null; echo $?
(sleep 0.1; exit 6) & fg %% >/dev/null; echo $?
sleep 0.3 | cat & disown %%; jobs
set +m

echo "== wait -n"
(sleep 0.5; exit 1) & (sleep 0.05; exit 2) &
wait -n; echo $?; wait -n; echo $?; wait -n; echo $?

echo "== traps"
trap 'echo "err $?"' ERR; false; (exit 4); trap - ERR
f() { trap 'echo return' RETURN; echo in f; trap - RETURN; }; f
n=0; trap 'n=$((n+1))' CHLD; for _ in 1 2 3; do /bin/true; done; trap - CHLD; echo "chld $((n >= 1))"
trap 'echo int; trap - INT' INT; kill -INT $BASHPID
{ trap 'echo alrm; exit 0' ALRM; kill -ALRM $BASHPID; sleep 5; } & wait $!; echo $?
timeout -s INT 0.5 bash -c 'trap "echo interrupted; exit 8" INT; while :; do sleep 0.02; done'; echo $?

echo "== read with a time limit"
read -r -t 0.05 x < <(sleep 0.4); echo $(($? > 128))
read -r -n 3 x <<<abcdef; echo "$x"

echo "== tcp and devices"
exec {fd}<>/dev/null; echo $((fd >= 10)); exec {fd}>&-
printf '%s\n' "${BASH_VERSINFO[0]}" /proc/self/fd/0 | head -n 1
[[ $(</proc/$$/comm) = bash ]] && echo comm

echo "== a deep pipe"
p=cat; for _ in {1..15}; do p+=' | cat'; done; seq 1 10000 | eval "$p" | md5sum
recurse() { if (($1 > 0)); then (recurse $(($1 - 1))); else echo bottom $BASH_SUBSHELL; fi; }; recurse 30
