package superset

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// errForm: the JSON has another form than Superset's.
var errForm = errors.New("unexpected JSON")

// stream decodes an answer of which it holds one value at a time, each of at most maxRow bytes.
type stream struct {
	*json.Decoder
	guard *guard
}

func (s *stream) next() *json.Decoder {
	s.guard.within = s.InputOffset() + maxRow
	return s.Decoder
}

// Decode reads the next value.
func (s *stream) Decode(to any) error { return s.next().Decode(to) }

// Token reads the next token.
func (s *stream) Token() (json.Token, error) { return s.next().Token() }

// More says whether there is a further one.
func (s *stream) More() bool { return s.next().More() }

// answer is what is kept of a chart's data. They are read row by row: a chart may have megabytes.
type answer struct {
	values map[string]bool // the columns that are not values; nil when none is wanted

	rows    int
	cached  time.Time // zero when the data were read from their source for this answer
	numbers map[string]float64
	latest  float64 // the greatest time among the rows
}

// read reads {"result": [first query, …]}.
func (a *answer) read(r *guard) error {
	queries := 0
	err := results(r, func(d *stream) error {
		if queries++; queries > 1 {
			return skip(d)
		}
		return each(d, '{', func(key string) error { return a.member(d, key) })
	})
	if err == nil && queries == 0 {
		return fmt.Errorf("%w: an answer without a query", errForm)
	}
	return err
}

// member reads what stands under a key of a query.
func (a *answer) member(d *stream, key string) error {
	switch key {
	case "cached_dttm":
		var text string // UTC, with a zone or without one
		if err := d.Decode(&text); err != nil || text == "" {
			return err
		}
		var err error
		if a.cached, err = time.Parse(time.RFC3339, text); err != nil {
			a.cached, err = time.Parse("2006-01-02T15:04:05", text)
		}
		if err != nil {
			return fmt.Errorf("%w: a cached_dttm of %q", errForm, text)
		}
		return nil
	case "data":
		return each(d, '[', func(string) error { return a.row(d) })
	}
	return skip(d)
}

func (a *answer) row(d *stream) error {
	a.rows++
	if a.values == nil {
		var row json.RawMessage // reads faster than skip
		return d.Decode(&row)
	}
	var row map[string]any
	if err := d.Decode(&row); err != nil {
		return err
	}
	numbers, at := map[string]float64{}, 0.0
	for column, value := range row {
		if number, ok := value.(float64); ok && a.values[column] {
			at = number
		} else if ok {
			numbers[column] = number
		}
	}
	if a.rows == 1 || at > a.latest {
		a.numbers, a.latest = numbers, at
	}
	return nil
}

// results calls f for each item of {"result": […]}, to read it.
func results(r *guard, f func(*stream) error) error {
	d := &stream{json.NewDecoder(r), r}
	return each(d, '{', func(key string) error {
		if key != "result" {
			return skip(d)
		}
		return each(d, '[', func(string) error { return f(d) })
	})
}

// each calls f for each item of a list or, with its key, for each member of an object; null has none.
func each(d *stream, opening json.Delim, f func(key string) error) error {
	token, err := d.Token()
	if err != nil || token == nil {
		return err
	}
	if token != opening {
		return fmt.Errorf("%w: %v in place of %v", errForm, token, opening)
	}
	for d.More() {
		var key string
		if opening == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			key, _ = token.(string)
		}
		if err := f(key); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// skip reads a value and forgets it, piece by piece.
func skip(d *stream) error {
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
