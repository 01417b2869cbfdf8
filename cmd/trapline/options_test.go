package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOptions: options as getopt_long reads them.
func TestOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"cmd -f x", "rest=[cmd -f x]"},
		{"-f -tt cmd", "f=1 t=2 rest=[cmd]"},
		{"-fttT cmd", "f=1 t=2 T=1 rest=[cmd]"},
		{"-ftto file cmd", "f=1 t=2 o=file rest=[cmd]"},
		{"-offile cmd", "o=ffile rest=[cmd]"},
		{"--output=x --output y -- -f", "o=y rest=[-f]"},
		{"-trap=sud -trap seccomp --trap=a cmd", "trap=a rest=[cmd]"},
		{"-follow cmd", "f=1 rest=[cmd]"},
		{"--times --times=ns cmd", "times=ns rest=[cmd]"},
		{"-o", "error: option -o needs an argument"},
		{"--output", "error: option --output needs an argument"},
		{"--follow=1", "error: option --follow=1 takes no argument"},
		{"-fq", "error: unknown option -q"},
		{"--quiet", "error: unknown option --quiet"},
		{"-th", "error: unknown option -h"},
		{"-h", "error: help requested"},
		{"--help", "error: help requested"},
		{"-", "rest=[-]"},
	} {
		var o optionSet
		var f, tt, spent int
		var output, trap, times string
		o.CountVar(&f, "f,follow", "")
		o.CountVar(&tt, "t", "")
		o.CountVar(&spent, "T", "")
		o.StringVar(&output, "o,output", "")
		o.StringVar(&trap, "trap", "")
		o.add("times", maybeArgument, "", func(s string) error { times = s; return nil })
		got := ""
		if err := o.parse(strings.Fields(c.args)); err != nil {
			got = "error: " + err.Error()
		} else {
			for _, v := range []struct {
				name  string
				value any
				zero  bool
			}{
				{"f", f, f == 0}, {"t", tt, tt == 0}, {"T", spent, spent == 0}, {"o", output, output == ""},
				{"trap", trap, trap == ""}, {"times", times, times == ""},
			} {
				if !v.zero {
					got += fmt.Sprintf("%s=%v ", v.name, v.value)
				}
			}
			got += fmt.Sprintf("rest=%v", o.Args())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.args, diff)
		}
	}
}
