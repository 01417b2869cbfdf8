package sites

import "github.com/trapline/trapline/patch"

// planner plans the sites of a text one after the other, as the runtime does when they trap in that order.
type planner struct {
	img   *image
	in    segment
	text  patch.Text
	taken []span // by the plans before, in the order of their sites
}

// span is [start, end).
type span struct{ start, end uintptr }

// plan says how a site would be patched: with the functions around it if its own one is not enough.
func (p *planner) plan(site uintptr) patch.Plan {
	for len(p.taken) > 0 && p.taken[0].end+patch.WindowSize < site {
		p.taken = p.taken[1:] // out of reach of all that follow
	}
	plan := p.try(site, false)
	if plan.Reason == patch.NoPadding {
		plan = p.try(site, true)
	}
	if plan.Reason != patch.Patchable {
		return plan
	}
	p.taken = append(p.taken, span{site, site + patch.SiteLength})
	for i := range int(plan.Hops) {
		start := site + uintptr(plan.Hop[i])
		p.taken = append(p.taken, span{start, start + plan.HopLength(i)})
	}
	return plan
}

func (p *planner) try(site uintptr, wide bool) patch.Plan {
	t := &p.text
	t.Around(site, p.in.start, p.in.end, &p.img.unwind, p.img.word, wide)
	n := copy(t.Code[:t.N], p.in.bytes[min(int(t.Base-p.in.start), len(p.in.bytes)):])
	clear(t.Code[n:t.N])
	for _, s := range p.taken {
		t.Take(s.start, s.end)
	}
	return t.Plan(site)
}
