package bench

import (
	"encoding/json"
	"io"
)

// writeJSON writes everything that was measured as one object.
func writeJSON(w io.Writer, m machine, es []*experiment) error {
	type result struct {
		Way    string    `json:"way"`
		Median float64   `json:"median"`
		Values []float64 `json:"values"` // one a round
	}
	type group struct {
		Name    string   `json:"name"`
		About   string   `json:"about"`
		Results []result `json:"results"` // the first is what the others are to be compared to
	}
	var groups []group
	for _, e := range es {
		g := group{Name: e.name, About: e.about}
		for _, x := range e.ways {
			g.Results = append(g.Results, result{x.name, median(x.values), x.values})
		}
		groups = append(groups, g)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		Machine     machine `json:"machine"`
		Experiments []group `json:"experiments"`
	}{m, groups})
}
