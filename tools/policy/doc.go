// Package policy lets a program do what a list of rules allows: by call, file name and address.
//
// It is a guard against accidents and no sandbox. What a rule has looked at may have changed when the kernel looks at it:
// another thread can write to the file name, or put a link where a directory was. And a program that means it writes over the
// runtime, which lies in its own memory.
//
// The launcher parses the rules (Parse) and passes a Table to the target. The hook finds the first rule that fits a call. What is
// not simply allowed leaves a record, of which the launcher makes a line (Report).
package policy
