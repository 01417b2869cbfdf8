# Programs that build a place for another one: namespaces, a root directory, mounts, dropped rights, filters. As root.
set -u
inside='echo $$; id -u; echo x >/tmp/f; cat /tmp/f; sh -c "exit 4"; echo $?; exec sh -c "exit 3"'
bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev --tmpfs /tmp sh -c "$inside"; echo "bwrap: $?"
setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc --dev /dev --tmpfs /tmp --die-with-parent --new-session sh -c "$inside"; echo "bwrap for a user: $?"
setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all unshare -U -r -p -f -m --mount-proc bash -c 'id -u; echo $$; (exit 4); echo $?; bash -c "exit 5"'; echo "unshare for a user: $?"
mkdir -p root/bin root/dev root/proc root/sys root/tmp; cp /bin/busybox root/bin/; chroot root /bin/busybox --install -s /bin
unshare -p -f -m -n -i -u -C sh -c 'mount -t proc proc root/proc; exec chroot root /bin/sh -c "echo \$\$; ps -o comm >/tmp/ps; grep -c sh /tmp/ps; exit 5"'; echo "unshare: $?"
unshare -p -f --kill-child sh -c 'sleep 30 & unshare -T sh -c "echo time"; exit 2'; echo "kill-child: $?"
mkdir bundle; mv root bundle/rootfs; cd bundle; runc spec
/usr/bin/python3 -I - <<'P'
import json

with open("config.json") as f:
    spec = json.load(f)
spec["process"]["terminal"] = False
spec["process"]["args"] = ["sh", "-c", "echo $$; id -u; ls -x /; cat /proc/1/comm; hostname; mkdir /tmp/d; sh -c 'exit 4'; echo $?; grep CapEff /proc/self/status; exit 7"]
spec["linux"].pop("resources", None)
spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"] if n["type"] != "cgroup"]
spec["linux"]["seccomp"] = {
    "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
                 {"names": ["clone3", "ptrace", "process_vm_readv"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}],
}
spec["mounts"] = [m for m in spec["mounts"] if m["type"] != "cgroup"]
with open("config.json", "w") as f:
    json.dump(spec, f)
P
runc --root "$RUN/state" run c1; echo "runc: $?"
