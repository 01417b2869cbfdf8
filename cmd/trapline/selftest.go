package main

import (
	"os"

	"github.com/trapline/trapline/selftest"
)

func runSelftest(v *verb, args []string) (int, error) {
	rest, err := v.parse(new(optionSet), args)
	if err == nil {
		err = v.noArguments(rest)
	}
	if err != nil {
		return 0, err
	}
	if _, failed := selftest.Run(os.Stdout); failed > 0 {
		return 1, nil
	}
	return 0, nil
}
