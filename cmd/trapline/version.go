package main

import (
	"fmt"
	"runtime"
)

// version is set by the build.
var version = "devel"

func runVersion(v *verb, args []string) (int, error) {
	if v != nil {
		rest, err := v.parse(new(optionSet), args)
		if err == nil {
			err = v.noArguments(rest)
		}
		if err != nil {
			return 0, err
		}
	}
	fmt.Printf("trapline %s %s/%s %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
	return 0, nil
}
