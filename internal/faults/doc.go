// Package faults lets one client's servers, files and requests do their worst beside clients that are well, and measures
// what that costs these. It has tests only: "make faults" runs them and prints a table.
package faults
