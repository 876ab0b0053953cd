package sqldb

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
)

// instanceArea is what is known of the database itself.
type instanceArea struct {
	lane  sqlread.Lane
	clock clock
}

func newInstanceArea(client config.Client) *instanceArea {
	return &instanceArea{lane: sqlread.NewLane("instance"), clock: newClock(client)}
}

// Clock implements oms.Source.
func (s *Source) Clock(now time.Time) oms.Clock { return s.instance.clock.read(now) }

// Instance implements oms.Source. While what is known of the catalogue is young, it only shows that the server answers.
func (s *Source) Instance(ctx context.Context, now time.Time) (oms.Instance, error) {
	schema, again := s.db.Known(now)
	var err error
	if again {
		err = s.db.Read(ctx, s.instance.lane, now, func(_ context.Context, r *sqlread.Reader) error {
			schema = r.Schema
			return nil
		})
	} else {
		err = s.db.Ping(ctx, s.instance.lane, now)
	}
	if err != nil {
		return oms.Instance{Generation: oms.GenerationUnknown}, err
	}
	var missing []oms.Column
	for _, c := range schema.Missing {
		missing = append(missing, oms.Column(c))
	}
	if s.orders.missing.refused.Load() {
		missing = append(missing, oms.Column{Table: "shopify_oms_order_recon"})
	}
	return oms.Instance{Generation: generationOf(schema), Missing: missing}, nil
}
