// Package bench measures what the exporter costs a production database, beside a peer that asks for the same facts in the
// usual way. It has tests only: "make bench-data" fills the databases, "make bench" measures and writes BENCHMARK.md.
package bench
