# A server with privilege separation on loopback, and its clients: commands, terminals, copies, forwarding, refusals.
# It runs in a mount namespace of its own (ssh-unshared.sh). $1: command prefix of the server.
set -eu
umask 022
ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f key; cp key.pub authorized; ssh-keygen -q -t rsa -b 2048 -N '' -f stranger
cat >sshd_config <<C
Port $PORT
ListenAddress 127.0.0.1
HostKey $RUN/host
PidFile $RUN/pid
AuthorizedKeysFile $RUN/authorized
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin yes
AcceptEnv WORD
Subsystem sftp /usr/lib/openssh/sftp-server
LogLevel VERBOSE
C
cat >ssh_config <<C
Host stranger
IdentityFile $RUN/stranger
Host root
IdentityFile $RUN/key
Host *
HostName 127.0.0.1
User root
Port $PORT
IdentitiesOnly yes
UserKnownHostsFile $RUN/known
StrictHostKeyChecking accept-new
LogLevel ERROR
ControlPath $RUN/control
C
$1 /usr/sbin/sshd -D -f "$RUN/sshd_config" -E "$RUN/log" & server=$!
until [ -s pid ]; do sleep 0.05; done
do_ssh() { ssh -F ssh_config "$@"; }
status() { local s=0; "$@" || s=$?; echo "status $s"; }
status do_ssh root 'id -u; echo out; echo err >&2; exit 5'
status do_ssh guest@root "id -u; exit 6"
status do_ssh stranger true 2>/dev/null
echo input | do_ssh root 'cat; kill -TERM $$' || echo "status $?"
seq 200000 | do_ssh root 'gzip | gzip -d' | md5sum
WORD=given do_ssh -o SendEnv=WORD root 'echo $WORD $0; cd /; pwd'
do_ssh -tt root 'stty size; [ -t 0 ] && [ -t 1 ] && echo terminal; stty -a | grep -o -e "-\?echo "; exit 3' </dev/null | tr -d '\r' || echo "status $?"
# Copies both ways.
seq 100000 >file; scp -q -F ssh_config file root:"$RUN/copy"; scp -q -O -F ssh_config root:"$RUN/copy" back; cmp file copy && cmp file back
cat >batch <<C
mkdir $RUN/dir
put file $RUN/dir/a
rename $RUN/dir/a $RUN/dir/b
ls -1 $RUN/dir
get $RUN/dir/b c
rm $RUN/dir/b
rmdir $RUN/dir
C
sftp -q -b batch -F ssh_config root 2>&1 | sed "s|$RUN/||g"; cmp file c
# Forwarding: to the server itself, both ways; one connection for many sessions.
free() { perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'; }
banner() { for _ in $(seq 200); do (exec 3<>"/dev/tcp/127.0.0.1/$1" && head -c 7 <&3 && echo) 2>/dev/null && return; sleep 0.05; done; }
local=$(free); remote=$(free)
do_ssh -M -f -N -o ExitOnForwardFailure=yes -L "$local:127.0.0.1:$PORT" -R "$remote:127.0.0.1:$PORT" root
banner "$local"; banner "$remote"
sessions=; for i in 1 2 3 4; do do_ssh root "sleep 0.1; echo session $i" >"s$i" & sessions="$sessions $!"; done; wait $sessions; cat s?
do_ssh -O check root 2>&1 | sed 's/ (.*//'; do_ssh -O exit root 2>/dev/null
eval "$(ssh-agent -s)" >/dev/null; ssh-add -q key; ssh-add -l | cut -d' ' -f1; do_ssh -A root 'ssh-add -l | wc -l'; ssh-agent -k >/dev/null
kill -HUP "$server"; for _ in $(seq 200); do do_ssh root 'echo again' 2>/dev/null && break; sleep 0.05; done
kill "$(cat pid)"; wait "$server" || echo "server ended: $?"
grep -c 'Accepted publickey for root' log; grep -c -i -E 'fatal|bad system call|terminated by signal' log || :
