# ssh.sh with users of its own: their shell reads no file of this machine, and there is a guest.
set -eu
sed 's|^root:.*|root:x:0:0::/root:/bin/sh|' /etc/passwd >passwd; echo "guest:x:1234:1234::$RUN:/bin/sh" >>passwd
mount --bind passwd /etc/passwd; mount -t tmpfs none /run; mkdir /run/sshd
. "$SRC/ssh.sh" "$@"
