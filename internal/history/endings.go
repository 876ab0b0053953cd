package history

import (
	"encoding/binary"
	"iter"
)

// An Ending is when a row ended.
type Ending struct {
	At     int64 // in seconds of Unix time
	Number int   // that is held with it: of the records that it refused, or of the milliseconds that it took
}

// AppendEndings packs endings in the order of time, of which there may be some ten thousand for each client. Each takes one or two bytes,
// and its number as many, if it is not 0.
func AppendEndings(packed []byte, all []Ending) []byte {
	var p pace
	for _, e := range all {
		packed = p.appendEnding(packed, e)
	}
	return packed
}

// Endings yields what AppendEndings packed.
func Endings(packed []byte) iter.Seq[Ending] {
	return func(yield func(Ending) bool) {
		var e Ending
		var p pace
		for left := packed; len(left) > 0; {
			if e, left = p.cutEnding(left); !yield(e) {
				return
			}
		}
	}
}

// A pace is that of numbers which grow by even steps, as jobs run at even intervals: of each, only by how much its step differs from the
// one before is written.
type pace struct{ last, step int64 }

// differs returns what is written of the next number.
func (p *pace) differs(n int64) int64 {
	step := n - p.last
	differs := step - p.step
	p.last, p.step = n, step
	return differs
}

// next returns the number of which that was written.
func (p *pace) next(differs int64) int64 {
	p.step += differs
	p.last += p.step
	return p.last
}

// appendEnding writes twice what is written of the time, and, if there is a number, one more and the number.
func (p *pace) appendEnding(packed []byte, e Ending) []byte {
	differs := p.differs(e.At) << 1
	if e.Number == 0 {
		return binary.AppendVarint(packed, differs)
	}
	packed = binary.AppendVarint(packed, differs|1)
	return binary.AppendUvarint(packed, uint64(e.Number)) //nolint:gosec // a count
}

// cutEnding reads what appendEnding wrote, and returns what is left.
func (p *pace) cutEnding(packed []byte) (Ending, []byte) {
	differs, n := binary.Varint(packed)
	packed = packed[n:]
	e := Ending{At: p.next(differs >> 1)}
	if differs&1 > 0 {
		number, n := binary.Uvarint(packed)
		packed, e.Number = packed[n:], int(number) //nolint:gosec // as above
	}
	return e, packed
}
