package bench

import (
	"fmt"
	"io"
)

// print writes the table of an experiment.
func (e *experiment) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s, median of %d\n", e.name, e.about, len(e.ways[0].values))
	base, floor := e.ways[0], e.way(e.floor)
	fmt.Fprintf(w, "  %-44s %12s %12s", "", "", "to native")
	if floor != nil {
		fmt.Fprintf(w, " %12s", "to floor")
	}
	fmt.Fprintln(w)
	for _, x := range e.ways {
		v := median(x.values)
		fmt.Fprintf(w, "  %-44s %12.*f %12s", x.name, e.digits, v, e.compare(v, median(base.values)))
		if floor != nil {
			fmt.Fprintf(w, " %12s", e.compare(v, median(floor.values)))
		}
		fmt.Fprintln(w)
	}
}

// way returns the way of that name that was measured, or nil.
func (e *experiment) way(name string) *way {
	for _, w := range e.ways {
		if w.name == name {
			return w
		}
	}
	return nil
}
