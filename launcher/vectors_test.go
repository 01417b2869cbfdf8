package launcher_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/launcher"
	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/count"
	"github.com/trapline/trapline/tools/emulate"
	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/tools/noop"
	"github.com/trapline/trapline/tools/trace"
)

var (
	floats  [8]float64
	buffers [2][512]byte
	through func(*rt.Call)
)

// TestNeedsAllVectors: which tools keep to the few registers that every hooked call saves.
func TestNeedsAllVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		tool *rt.Tool
		want bool
	}{
		{"none", nil, false},
		{"noop", &noop.Tool, false},
		{"emulate", &emulate.Tool, false},
		{"count", &count.Tool, false},
		{"trace", &trace.Tool, false},
		{"inject", &inject.Tool, false},
		{"many floats", &rt.Tool{Hook: manyFloats}, true},
		{"floats at the exit", &rt.Tool{Hook: func(*rt.Call) {}, Exit: manyFloats}, true},
		{"floats far down", &rt.Tool{Hook: farDown}, true},
		{"memmove", &rt.Tool{Hook: copies}, true},
		{"a call through a variable", &rt.Tool{Hook: func(c *rt.Call) { through(c) }}, true},
		{"Do and Read", &rt.Tool{Hook: func(c *rt.Call) { c.Do(); c.Read(buffers[0][:], c.Arg(0)); c.SetMark(rt.Now()) }}, false},
	} {
		if diff := cmp.Diff(c.want, launcher.NeedsAllVectors(c.tool)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

//go:noinline
func manyFloats(*rt.Call) {
	a, b, c, d, e, f, g, h := floats[0], floats[1], floats[2], floats[3], floats[4], floats[5], floats[6], floats[7]
	floats[0] = (a+b)*(c+d) - (e+f)*(g+h) + (a-b)*(c-d)/((e-f)*(g-h)) + (a*h+b*g)*(c*f+d*e)
	floats[1] = a*b*c*d*e*f*g*h + floats[0]*(a+h)*(b+g)*(c+f)*(d+e)
}

func farDown(c *rt.Call) { further(c, 3) }

//go:noinline
func further(c *rt.Call, n int) {
	if n == 0 {
		manyFloats(c)
		return
	}
	further(c, n-1)
}

func copies(c *rt.Call) { copy(buffers[0][:c.Nr()], buffers[1][:]) }
