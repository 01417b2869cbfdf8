package sites

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/trapline/trapline/patch"
)

// counts is how many sites there are of a kind.
type counts struct {
	files, sites, data int
	tactic             [patch.NumTactics]int
	reason             [patch.NumReasons]int
}

func (c *counts) add(f *File) {
	c.files++
	c.sites += len(f.Sites)
	c.data += f.Data
	for _, s := range f.Sites {
		c.reason[s.Plan.Reason]++
		if s.Plan.Reason == patch.Patchable {
			c.tactic[s.Plan.Tactic]++
		}
	}
}

// String is one line, as "526 sites, 515 patchable (97.9 %): 400 forward; 10 no padding in reach; 3 data".
func (c *counts) String() string {
	patchable := c.reason[patch.Patchable]
	line := fmt.Sprintf("%d sites", c.sites)
	if c.sites > 0 {
		line += fmt.Sprintf(", %d patchable (%.1f %%)", patchable, 100*float64(patchable)/float64(c.sites))
	}
	var tactics, rest []string
	for t, n := range c.tactic {
		if n > 0 {
			tactics = append(tactics, fmt.Sprintf("%d %v", n, patch.Tactic(t)))
		}
	}
	for r, n := range c.reason[1:] {
		if n > 0 {
			rest = append(rest, fmt.Sprintf("%d %v", n, patch.Reason(r+1)))
		}
	}
	if c.data > 0 {
		rest = append(rest, fmt.Sprintf("%d data", c.data))
	}
	if tactics != nil {
		line += ": " + strings.Join(tactics, ", ")
	}
	if rest != nil {
		line += "; " + strings.Join(rest, ", ")
	}
	return line
}

// Report prints what was found, file by file.
type Report struct {
	w    *bufio.Writer
	json bool
	all  counts
}

// NewReport makes a report that is printed to w, as text or as one line of JSON for each file. Errors are w's.
func NewReport(w *bufio.Writer, json bool) *Report { return &Report{w: w, json: json} }

// Add prints a file.
func (r *Report) Add(f *File) {
	r.all.add(f)
	if r.json {
		json.NewEncoder(r.w).Encode(recordOf(f))
		return
	}
	var c counts
	c.add(f)
	for i := range f.Sites {
		fmt.Fprintf(r.w, "  %s\n", &f.Sites[i])
	}
	fmt.Fprintf(r.w, "%s: %v\n", f.Path, &c)
}

// Close prints the totals of several files. JSON has none.
func (r *Report) Close() {
	if !r.json && r.all.files > 1 {
		fmt.Fprintf(r.w, "%d files: %v\n", r.all.files, &r.all)
	}
}

// String is a site's line: its address, how it is patched, where, and what function it is in.
func (s *Site) String() string {
	how := s.Plan.Reason.String()
	if s.Plan.Reason == patch.Patchable {
		how = s.Plan.Tactic.String()
		for _, hop := range s.Plan.Hop[:s.Plan.Hops] {
			how += fmt.Sprintf(" %+d", hop)
		}
	}
	return strings.TrimRight(fmt.Sprintf("%#-14x  %-22s  %s", s.Addr, how, s.where()), " ")
}

func (s *Site) where() string {
	if s.Function == "" {
		return ""
	}
	return fmt.Sprintf("%s+%#x", s.Function, s.Offset)
}

// record is a file's line of JSON.
type record struct {
	File      string         `json:"file"`
	Sites     []siteRecord   `json:"sites"`
	Patchable int            `json:"patchable"`
	Tactics   map[string]int `json:"tactics"`
	Refused   map[string]int `json:"refused"` // by reason
	Data      int            `json:"data"`
}

type siteRecord struct {
	Address  uintptr `json:"address"`
	Function string  `json:"function,omitempty"`
	Offset   uintptr `json:"offset,omitempty"` // in the function
	Tactic   string  `json:"tactic,omitempty"`
	Hops     []int16 `json:"hops,omitempty"`   // bytes from the site
	Reason   string  `json:"reason,omitempty"` // why there is no tactic
}

func recordOf(f *File) record {
	var c counts
	c.add(f)
	r := record{
		File: f.Path, Sites: []siteRecord{}, Patchable: c.reason[patch.Patchable],
		Tactics: map[string]int{}, Refused: map[string]int{}, Data: f.Data,
	}
	for _, s := range f.Sites {
		site := siteRecord{Address: s.Addr, Function: s.Function, Offset: s.Offset}
		if s.Plan.Reason == patch.Patchable {
			site.Tactic, site.Hops = s.Plan.Tactic.String(), s.Plan.Hop[:s.Plan.Hops]
			r.Tactics[site.Tactic]++
		} else {
			site.Reason = s.Plan.Reason.String()
			r.Refused[site.Reason]++
		}
		r.Sites = append(r.Sites, site)
	}
	return r
}
