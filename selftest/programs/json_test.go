package programs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// quickJSON are the programs whose trace is read with -short: signals, threads, and nearly all calls.
var quickJSON = []string{"python-signals", "python-threads", "calls"}

// TestJSON: each line of trace --json is an object of a known kind with the fields of that kind, and what --perfetto writes
// at the same time are Chrome trace events with the same calls.
func TestJSON(t *testing.T) {
	needTrapline(t)
	for _, q := range sequences {
		if testing.Short() && !slices.Contains(quickJSON, q.name) {
			continue
		}
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			if missing := missingPackages(q.packages); len(missing) > 0 {
				t.Skipf("not installed: %s (install.sh does)", strings.Join(missing, " "))
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			base := t.TempDir()
			events := filepath.Join(base, "events")
			text := q.report(t, base, trapline(), "trace", "--json", "--perfetto", events)
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			kinds := map[string]int{}
			for _, line := range lines {
				kind, err := checkLine(line)
				if err != nil {
					t.Fatalf("%v:\n%s", err, line)
				}
				kinds[kind]++
			}
			if kinds["call"] < 10 || kinds["thread"] < 1 || kinds["end"] < 1 || kinds["lost"] > 0 {
				t.Errorf("kinds of lines: %v", kinds)
			}
			calls, err := checkEvents(events)
			if err != nil || calls != kinds["call"] {
				t.Errorf("Chrome trace events: %v; %d calls, in JSON %d", err, calls, kinds["call"])
			}
		})
	}
}

// A jsonField is what one field of a line has to look like; optional ones have a question mark in front of their name.
type jsonField struct{ name, pattern string }

const (
	positive = `[1-9][0-9]*`
	decimals = `"[0-9]+"`
	word     = `"[^"]+"`
	text     = `"(?s:.*)"`
	wordList = `\[(?s:.*)\]`
)

// jsonKinds are the kinds of lines.
var jsonKinds = map[string][]jsonField{
	"call": {
		{"pid", positive}, {"tid", positive}, {"start_ns", decimals}, {"duration_ns", decimals}, {"nr", `-?[0-9]+`}, {"name", word},
		{"via", `"(patch|trap|vdso)"`}, {"raw", `\[("0x[0-9a-f]+",?)*\]`}, {"args", wordList}, {"?result", `"-?[0-9]+"`},
		{"?errno", `"E[A-Z0-9_]+"`}, {"?restart", `"ERESTART[A-Z_]+"`}, {"?note", text},
	},
	"thread": {{"pid", positive}, {"tid", positive}, {"time_ns", decimals}, {"birth", `"(exec|fork|thread)"`}, {"?creator", positive}, {"?name", text}},
	"signal": {{"pid", positive}, {"tid", positive}, {"time_ns", decimals}, {"signal", `"SIG[A-Z0-9_+]+"`}, {"info", text}},
	"end":    {{"pid", positive}, {"tid", positive}, {"time_ns", decimals}, {"how", `"(exited with [0-9]+|killed by SIG.*)"`}},
	"lost":   {{"records", decimals}},
}

// checkLine checks one line and returns what kind it is.
func checkLine(line string) (kind string, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return "", err
	}
	if err := json.Unmarshal(fields["type"], &kind); err != nil || jsonKinds[kind] == nil {
		return "", fmt.Errorf("no such type: %s", fields["type"])
	}
	delete(fields, "type")
	for _, f := range jsonKinds[kind] {
		name, optional := strings.CutPrefix(f.name, "?")
		value, ok := fields[name]
		delete(fields, name)
		if !ok && optional {
			continue
		}
		if !regexp.MustCompile("^" + f.pattern + "$").Match(value) {
			return "", fmt.Errorf("field %s is %q, want %s", name, value, f.pattern)
		}
	}
	for name := range fields {
		return "", fmt.Errorf("unknown field %s", name)
	}
	return kind, nil
}

// checkEvents reads a file of Chrome trace events and returns how many calls are in it. The format: "Trace Event Format",
// JSON object format, events of the phases X (complete), i (instant) and M (metadata).
func checkEvents(file string) (calls int, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var trace struct {
		TraceEvents []struct {
			Name  *string
			Ph    string
			Ts    *float64
			Dur   *float64
			PID   *int
			TID   *int
			S     string
			Args  map[string]string
			Extra json.RawMessage `json:"id"`
		} `json:"traceEvents"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&trace); err != nil {
		return 0, err
	}
	for i, e := range trace.TraceEvents {
		good := e.Name != nil && *e.Name != "" && e.PID != nil && e.TID != nil && e.Extra == nil
		switch e.Ph {
		case "X":
			good = good && e.Ts != nil && *e.Ts >= 0 && e.Dur != nil && *e.Dur >= 0
			calls++
		case "i":
			good = good && e.Ts != nil && *e.Ts >= 0 && strings.Contains("tpg", e.S) && e.S != ""
		case "M":
			good = good && (*e.Name == "process_name" || *e.Name == "thread_name") && e.Args["name"] != ""
		default:
			good = false
		}
		if !good {
			return calls, fmt.Errorf("event %d is not right: %+v", i, e)
		}
	}
	return calls, nil
}
