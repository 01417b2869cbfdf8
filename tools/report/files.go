package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/tools/trace"
)

// files are what calls did with files, by path.
type files struct {
	byPath map[string]*file
	rest   file // those that were taken out, as one
	others int  // how many they were
}

type file struct {
	calls, errors, read, written uint64
	spent                        time.Duration
}

const (
	maxFiles   = 20000 // that are kept while the target runs
	shownFiles = 500   // on the page
)

func (f *files) add(c *trace.Observation, spent time.Duration) {
	for _, use := range c.Files() {
		path := kindOf(use.Path)
		one := f.byPath[path]
		if one == nil {
			if len(f.byPath) >= maxFiles {
				f.keep(maxFiles / 2)
			}
			one = new(file)
			f.byPath[path] = one
		}
		one.calls++
		if c.Errno != "" {
			one.errors++
		}
		one.read, one.written, one.spent = one.read+use.Read, one.written+use.Written, one.spent+max(spent, 0)
	}
}

// kindOf returns a path, and for what has none the kind of thing: there are as many sockets and pipes as a server has clients.
func kindOf(path string) string {
	if kind, _, ok := strings.Cut(path, ":["); ok && path[0] != '/' {
		return "(" + kind + "s)"
	}
	return path
}

// fileUse is a file on the page.
type fileUse struct {
	Path    string `json:"path"`
	Calls   uint64 `json:"calls"`
	Errors  uint64 `json:"errors"`
	Read    uint64 `json:"read"`
	Written uint64 `json:"written"`
	Spent   int64  `json:"ns"`
}

func (f *file) use(path string) fileUse {
	return fileUse{path, f.calls, f.errors, f.read, f.written, f.spent.Nanoseconds()}
}

// sorted returns the files, those first that took the most time.
func (f *files) sorted() []fileUse {
	list := []fileUse{}
	for path, one := range f.byPath {
		list = append(list, one.use(path))
	}
	slices.SortFunc(list, func(a, b fileUse) int {
		return cmp.Or(cmp.Compare(b.Spent, a.Spent), cmp.Compare(b.Calls, a.Calls), strings.Compare(a.Path, b.Path))
	})
	return list
}

// keep takes all files out but n of those that took the most time and n that moved the most bytes.
func (f *files) keep(n int) {
	list := f.sorted()
	chosen := map[string]bool{}
	for _, u := range list[:min(n, len(list))] {
		chosen[u.Path] = true
	}
	slices.SortStableFunc(list, func(a, b fileUse) int { return cmp.Compare(b.Read+b.Written, a.Read+a.Written) })
	for _, u := range list[:min(n, len(list))] {
		if u.Read+u.Written > 0 {
			chosen[u.Path] = true
		}
	}
	for _, u := range list {
		if !chosen[u.Path] {
			one := f.byPath[u.Path]
			f.rest.calls, f.rest.errors = f.rest.calls+one.calls, f.rest.errors+one.errors
			f.rest.read, f.rest.written = f.rest.read+one.read, f.rest.written+one.written
			f.rest.spent += one.spent
			f.others++
			delete(f.byPath, u.Path)
		}
	}
}
