package suites

import (
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// goLine is how package testing reports a test's end, with -v; goBegin its beginning. Output of the test itself may stand
// before the dashes, when it did not end its line.
var (
	goLine  = regexp.MustCompile(`--- (PASS|FAIL|SKIP): (Test\S+|Example\S+|Fuzz\S+) \(`)
	goBegin = regexp.MustCompile(`(?m)^=== RUN   (\S+)`)
)

// goResults reads the output of a Go test binary.
func goResults(output, _ string) results {
	r := make(results)
	for _, m := range goBegin.FindAllStringSubmatch(output, -1) {
		r[m[1]] = unfinished
	}
	for _, m := range goLine.FindAllStringSubmatch(output, -1) {
		r[m[2]] = result(strings.ToLower(m[1]))
	}
	return r
}

// topLevel returns the tests that have to run for these tests and subtests to run.
func topLevel(tests []string) []string {
	var top []string
	for _, t := range tests {
		name, _, _ := strings.Cut(t, "/")
		top = append(top, regexp.QuoteMeta(name))
	}
	slices.Sort(top)
	return slices.Compact(top)
}

// pythonResults reads the report that regrtest writes at its end, and what it printed if it did not come to that.
func pythonResults(output, report string) results {
	var suites struct {
		Cases []struct {
			Name    string    `xml:"name,attr"`
			Skipped *struct{} `xml:"skipped"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
		} `xml:"testsuite>testcase"`
	}
	r := make(results)
	text, err := os.ReadFile(report)
	if err != nil || xml.Unmarshal(text, &suites) != nil {
		for _, m := range pythonLine.FindAllStringSubmatch(output, -1) {
			r[m[1]+"."+m[2]] = unfinished
		}
		return r
	}
	for _, c := range suites.Cases {
		switch {
		case c.Failure != nil || c.Error != nil:
			r[c.Name] = fail
		case c.Skipped != nil:
			r[c.Name] = skip
		default:
			r[c.Name] = pass
		}
	}
	return r
}

var pythonLine = regexp.MustCompile(`(?m)^(test\w+) \((\S+)\) \.\.\. `)

// withoutSubtest: regrtest runs whole tests only.
func withoutSubtest(test string) string {
	name, _, _ := strings.Cut(test, " ")
	return name
}

// differences returns the tests of which the two sides say different things, sorted.
func differences(native, got results) []string {
	var differ []string
	all := maps.Clone(native)
	maps.Copy(all, got)
	for name := range all {
		if native.of(name) != got.of(name) {
			differ = append(differ, name)
		}
	}
	slices.Sort(differ)
	return differ
}

func (r results) of(name string) result {
	if v, ok := r[name]; ok {
		return v
	}
	return missing
}

// String counts: passed/failed/skipped, and the unfinished if there are any.
func (r results) String() string {
	count := make(map[result]int)
	for _, v := range r {
		count[v]++
	}
	s := fmt.Sprintf("%d/%d/%d", count[pass], count[fail], count[skip])
	if n := count[unfinished]; n > 0 {
		s += fmt.Sprintf("+%d", n)
	}
	return s
}
