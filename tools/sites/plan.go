package sites

import "github.com/trapline/trapline/patch"

// planner plans the sites of a text one after the other, as the runtime does when they trap in that order.
type planner struct {
	img   *image
	text  patch.Text
	taken []region
}

// region is [start, end).
type region struct{ start, end uintptr }

// plan says how a site would be patched.
func (p *planner) plan(site uintptr, in segment) patch.Plan {
	plan := p.try(site, in, false)
	if plan.Reason == patch.NoPadding {
		plan = p.try(site, in, true)
	}
	if plan.Reason == patch.Patchable {
		p.taken = append(p.taken, region{site, site + patch.SiteLength})
		for i := range int(plan.Hops) {
			start := site + uintptr(plan.Hop[i])
			p.taken = append(p.taken, region{start, start + plan.HopLength(i)})
		}
	}
	return plan
}

// try plans with the window of the first attempt or with the wide one.
func (p *planner) try(site uintptr, in segment, wide bool) patch.Plan {
	t := &p.text
	t.Around(site, in.start, in.end(), &p.img.unwind, p.img.word, wide)
	copy(t.Code[:t.N], in.bytes[t.Base-in.start:])
	for _, r := range p.taken {
		t.Take(r.start, r.end)
	}
	return t.Plan(site)
}
