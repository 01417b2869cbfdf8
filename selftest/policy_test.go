package selftest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPolicy: what rules allow and deny, and the lines about it.
func TestPolicy(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	for _, c := range []struct {
		name, policy, script string
		status, out, lines   string // lines: PIDs are N, the folder is DIR
	}{
		{
			"a file, whatever it is called",
			`{"rules": [{"action": "deny", "calls": "%file", "paths": ["DIR/secret"], "why": "keep out"}]}`,
			`echo x >../DIRNAME/./open; for f in DIR/secret secret ./sub/..//secret; do { read a <$f; } 2>/dev/null || echo no; done; cat open`,
			"exit 0", "no\nno\nno\nx\n", strings.Repeat("openat(\"DIR/secret\") denied (EPERM) by rule 1: keep out\n", 3),
		}, {
			"a folder with all that is in it, and nothing beside",
			`{"rules": [{"action": "errno", "errno": "EACCES", "calls": "openat", "paths": ["DIR/sub/"]}]}`,
			`(cat sub/file) 2>&1; cat sub-not`, "exit 0", "cat: sub/file: Permission denied\nbeside\n", "openat(\"DIR/sub/file\") denied (EACCES) by rule 1\n",
		}, {
			"the first rule counts",
			`{"rules": [{"action": "allow", "calls": "%file", "paths": ["DIR/sub/file"]}, {"action": "deny", "calls": "%file", "paths": ["DIR/sub"]}]}`,
			`cat sub/file; cat sub/other 2>/dev/null`, "exit 1", "inside\n", "openat(\"DIR/sub/other\") denied (EPERM) by rule 2\n",
		}, {
			"of two names both have to be allowed",
			`{"rules": [{"action": "allow", "calls": "%file", "paths": ["DIR/sub", "/usr", "/lib", "/etc", "/lib64"]},
				{"action": "deny", "calls": "rename,renameat,renameat2"}]}`,
			`mv sub/file sub/moved && echo moved; mv sub/moved out 2>/dev/null || echo no`, "exit 0", "moved\nno\n",
			"renameat2(\"DIR/sub/moved\") denied (EPERM) by rule 2\n",
		}, {
			"killed",
			`{"rules": [{"action": "kill", "calls": "chdir", "paths": ["DIR/sub"]}]}`,
			`exec 2>/dev/null; (cd sub; echo never); echo $?; cd ..`, "exit 0", "137\n", "chdir(\"DIR/sub\") killed by rule 1\n",
		}, {
			"logged",
			`{"rules": [{"action": "log", "calls": "chdir"}, {"action": "deny", "calls": "chdir"}]}`,
			`cd sub && pwd`, "exit 0", "DIR/sub\n", "chdir(\"DIR/sub\") logged by rule 1\n",
		}, {
			"what no rule is about",
			`{"default": "errno", "errno": "ENOSYS", "rules": [{"action": "allow", "calls": "!chdir"}]}`,
			`cd sub 2>/dev/null || echo stays`, "exit 0", "stays\n", strings.Repeat("chdir(\"DIR/sub\") denied (ENOSYS) by default\n", 2),
		}, {
			"addresses",
			`{"rules": [{"action": "errno", "errno": "ENETUNREACH", "calls": "connect", "address": {"ip": "127.0.0.0/8", "port": "1-1023"}},
				{"action": "deny", "calls": "connect", "address": {"family": "inet6"}}]}`,
			`for a in 127.3.2.1/1 127.0.0.1/1023 127.0.0.1/1024 ::1/1024 ::ffff:127.0.0.1/80
				do bash -c "echo >/dev/tcp/$a" 2>&1 | sed -n 's/.*connect: //p'; done`,
			"exit 0", "Network is unreachable\nNetwork is unreachable\nConnection refused\nOperation not permitted\nNetwork is unreachable\n",
			"connect(127.3.2.1:1) denied (ENETUNREACH) by rule 1\nconnect(127.0.0.1:1023) denied (ENETUNREACH) by rule 1\n" +
				"connect([::1]:1024) denied (EPERM) by rule 2\nconnect([::ffff:127.0.0.1]:80) denied (ENETUNREACH) by rule 1\n",
		}, {
			"programs",
			`{"rules": [{"action": "deny", "calls": "execve", "paths": ["/usr/bin/id", "/bin/id"]}]}`,
			`/usr/bin/id 2>/dev/null; echo $?; sh -c 'echo runs'`, "exit 0", "126\nruns\n", "execve(\"/usr/bin/id\") denied (EPERM) by rule 1\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			named := strings.NewReplacer("DIRNAME", filepath.Base(dir), "DIR", dir)
			for name, text := range map[string]string{"secret": "secret\n", "sub/file": "inside\n", "sub/other": "inside\n", "sub-not": "beside\n"} {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			rules := filepath.Join(t.TempDir(), "rules.json")
			if err := os.WriteFile(rules, []byte(named.Replace(c.policy)), 0o644); err != nil {
				t.Fatal(err)
			}
			got := command{argv: []string{trapline(), "policy", "-f", rules, "--", "bash", "-c", named.Replace(c.script)}, dir: dir}.mustRun(t)
			lines := regexp.MustCompile(`(?m)^trapline: pid \d+: `).ReplaceAllString(got.Stderr, "")
			expect(t, outcome{Status: c.status, Stdout: named.Replace(c.out), Stderr: named.Replace(c.lines)},
				outcome{Status: got.Status, Stdout: got.Stdout, Stderr: lines})
		})
	}
}

// TestPolicyGuarded: what a rule denies stays denied when the launcher is gone.
func TestPolicyGuarded(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.json")
	if err := os.WriteFile(rules, []byte(`{"rules": [{"action": "deny", "calls": "chdir"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	script := `echo ready >ready; while test ! -e gone; do sleep 0.05; done; i=0; while [ $i -lt 3000 ]; do cd / && echo moved >>log; i=$((i+1)); done
		sh -c 'cd / && echo moved >>log; echo done >done'`
	p, err := command{argv: []string{trapline(), "policy", "-f", rules, "--", "bash", "-c", script}, dir: dir}.start(t)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(dir, "ready"))
	p.cmd.Process.Kill()
	p.cmd.Wait()
	if err := os.WriteFile(filepath.Join(dir, "gone"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(dir, "done"))
	if text, err := os.ReadFile(filepath.Join(dir, "log")); err == nil {
		t.Errorf("calls are made: %q", text)
	}
	expect(t, nil, p.leftovers())
}
