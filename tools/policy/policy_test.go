package policy

import (
	"encoding/json"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/tools/trace"
)

// TestWrongPolicies: what is refused.
func TestWrongPolicies(t *testing.T) {
	t.Parallel()
	rule := func(text string) string { return `{"rules": [` + text + `]}` }
	for _, text := range []string{
		"", "[]", `{"rule": []}`, `{} {}`, `{"default": "maybe"}`, `{"default": "errno"}`, `{"default": "deny", "errno": "EIO"}`,
		rule(`{}`), rule(`{"action": "deny"}`), rule(`{"action": "deny", "calls": "nocall"}`), rule(`{"action": "errno", "calls": "open"}`),
		rule(`{"action": "errno", "errno": "SIGKILL", "calls": "open"}`), rule(`{"action": "errno", "errno": "ENONE", "calls": "open"}`),
		rule(`{"action": "deny", "calls": "open", "errno": "EIO"}`), rule(`{"action": "deny", "calls": "open", "paths": ["relative"]}`),
		rule(`{"action": "deny", "calls": "open", "paths": [""]}`), rule(`{"action": "deny", "calls": "open", "path": "/x"}`),
		rule(`{"action": "deny", "calls": "connect", "address": {"family": "ax25"}}`),
		rule(`{"action": "deny", "calls": "connect", "address": {"ip": "1.2.3"}}`),
		rule(`{"action": "deny", "calls": "connect", "address": {"ip": "1.2.3.4/33"}}`),
		rule(`{"action": "deny", "calls": "connect", "address": {"family": "inet6", "ip": "1.2.3.4"}}`),
		rule(`{"action": "deny", "calls": "connect", "address": {"port": "65536"}}`),
		rule(`{"action": "deny", "calls": "connect", "address": {"port": "3-2"}}`),
		rule(`{"action": "deny", "calls": "connect", "address": {"family": "unix", "port": "3"}}`),
		rule(strings.Repeat(`{"action": "deny", "calls": "open"},`, 128) + `{"action": "deny", "calls": "open"}`),
	} {
		if _, err := Parse([]byte(text), &trace.Dictionary); err == nil {
			t.Errorf("%.100s is accepted", text)
		}
	}
}

// TestHooked: only calls that a rule is about are looked at, unless the default is about all.
func TestHooked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int{
		`{}`: {},
		`{"default": "allow", "rules": [{"action": "deny", "calls": "open,read"}, {"action": "log", "calls": "open"}]}`: {0, 2},
		`{"default": "log", "rules": [{"action": "allow", "calls": "open"}]}`:                                           nil,
	} {
		p, err := Parse([]byte(text), &trace.Dictionary)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.Hooked()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestBelow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, prefix string
		want         bool
	}{
		{"/a/b", "/a", true}, {"/a", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/b", false}, {"/a/b", "", true}, {"", "/a", false}, {"pipe:[3]", "", false},
	} {
		if got := below([]byte(c.path), []byte(c.prefix)); got != c.want {
			t.Errorf("%q below %q: %v", c.path, c.prefix, got)
		}
	}
}

// FuzzClean compares with package path.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"/", "/a/../../b", "//a/./b//", "/...", "/a/b/..", "/.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := []byte("/" + s)
		want := strings.TrimSuffix(path.Clean(string(b)), "/")
		if got := string(b[:clean(b)]); got != want {
			t.Errorf("%q: %q, want %q", "/"+s, got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"default": "log", "rules": [{"action": "errno", "errno": "EIO", "calls": "%file", "paths": ["/a", "/"]}]}`))
	f.Add([]byte(`{"rules": [{"action": "deny", "calls": "connect", "address": {"ip": "::/3", "port": "1-2", "family": "inet6"}, "why": "x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data, &trace.Dictionary)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Errorf("%q is accepted", data)
		}
		p.Hooked()
	})
}
