// Runs in the target, on the tool stack; any signal may arrive.

package inject

import rt "github.com/trapline/trapline/runtime"

// Tool changes calls as the rules say, and shows nothing.
var Tool = rt.Tool{Name: "inject", Hook: hook, OnThread: OnThread}

func hook(c *rt.Call) {
	tab := (*Table)(rt.Options())
	d := tab.Begin(c)
	switch {
	case d.Applies():
		tab.Run(c, &d)
	case rt.Subscribed(c.Nr()) && c.Do() == -rt.ENOTRUN: // any other is left to the stub, which makes it without the hook
		tab.NotRun(c)
	}
}
