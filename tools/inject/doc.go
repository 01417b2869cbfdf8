// Package inject changes system calls of the target as rules say: errors and results in place of calls, signals, delays,
// other memory. Rules are strace's (-e inject=), and more: conditions on arguments, chance.
//
// The launcher parses rules (ParseRule) and compiles them into a Table, which it passes to the target with the tool's options.
// There the hook asks the Table about each call (Begin), and makes those that a rule applies to (Run). package trace does the
// same with calls that it prints as well.
package inject
