// Runs in the target, on the tool stack; any signal may arrive.

// Package noop is a tool whose hook does nothing: what it costs is the cost of calling a hook.
package noop

import rt "github.com/trapline/trapline/runtime"

// Tool is the whole of it. It reports nothing.
var Tool = rt.Tool{Name: "noop", Hook: hook}

func hook(*rt.Call) {}
