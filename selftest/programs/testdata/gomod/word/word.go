// Package word splits text.
package word

import "strings"

// Split returns the words of a line in lower case.
func Split(line string) []string { return strings.Fields(strings.ToLower(line)) }
