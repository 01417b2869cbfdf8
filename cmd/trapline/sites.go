package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/trapline/trapline/tools/sites"
)

// runSites goes on behind a file that it cannot read, and ends with a status that says so.
func runSites(v *verb, args []string) (int, error) {
	f := new(optionSet)
	json := f.Bool("json", "print one JSON object a line for each file")
	files, err := v.operands(f, args)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(os.Stdout)
	report, status := sites.NewReport(out, *json), 0
	for _, path := range files {
		file, err := sites.Analyze(path)
		if err != nil {
			complain(fmt.Errorf("sites: %w", err))
			status = statusFailure
			continue
		}
		report.Add(file)
	}
	report.Close()
	if err := out.Flush(); err != nil {
		return 0, fmt.Errorf("output: %w", err)
	}
	return status, nil
}

// operands returns the files of a command line, before and behind flags.
func (v *verb) operands(f *optionSet, args []string) ([]string, error) {
	var files []string
	for len(args) > 0 {
		rest, err := v.parse(f, args)
		if err != nil {
			return nil, err
		}
		files = append(files, rest[:min(1, len(rest))]...)
		args = rest[min(1, len(rest)):]
	}
	if files == nil {
		return nil, &usageError{v.name + ": no file given"}
	}
	return files, nil
}
