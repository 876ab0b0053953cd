package collector

import "context"

var schemaMissing = newMetric(greatest, "oms_schema_missing",
	"1 for a table or column that this OMS version does not have or that cannot be read; metrics that need it are absent.",
	"table", "column")

// clientCollector tells what kind of OMS was found.
type clientCollector struct{}

func (clientCollector) Name() string { return "client" }

func (clientCollector) update(ctx context.Context, src Sources, b *batch) error {
	instance, err := src.OMS.Instance(ctx, b.now)
	if err == nil {
		b.instance = &instance
	}
	for _, c := range instance.Missing {
		b.set(schemaMissing, 1, c.Table, c.Column)
	}
	return err
}
